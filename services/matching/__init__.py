"""Matching: who helps, who waits, who is next."""
