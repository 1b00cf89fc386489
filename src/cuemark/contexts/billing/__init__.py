"""Billing: subscriptions, invoices, payments and the ledger that tells of all of it."""
