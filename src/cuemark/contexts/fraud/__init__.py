"""Fraud: what speaks against a login, a card or a household, and what is done about it."""
