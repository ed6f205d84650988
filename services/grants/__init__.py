"""Grants: who may apply, what is funded, within which budget, and the gaps beside a round."""
