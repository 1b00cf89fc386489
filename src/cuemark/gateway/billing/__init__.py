"""Billing as people see it: what they send, and invoices to be read and printed."""
