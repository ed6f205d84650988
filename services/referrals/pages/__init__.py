"""Pages: of every message, for partners and staff; for people who have a link or a code."""
