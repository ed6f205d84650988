"""Calls to the outside: to referrals for a contact, to the mail server for a mail."""
