"""Stripe, by its own library: cards are given to Stripe in the browser, and billing sees tokens."""
