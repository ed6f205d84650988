"""The rules of matching: pure, without a clock."""
