"""Reporting: what is true of the whole, counted from facts alone and published so that nobody is recognised."""
