"""Measures what this machine can do, each figure beside a baseline of the same run."""
