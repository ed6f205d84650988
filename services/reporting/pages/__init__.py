"""The public page: what it says, and how it is laid out."""
