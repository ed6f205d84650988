"""The rules of reporting: pure, and without a clock."""
