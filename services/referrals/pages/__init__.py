"""The page that shows partners and staff every message."""
