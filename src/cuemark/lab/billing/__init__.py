"""Billing tried on seeded schedules of faults: its very service, the sandbox's very bank."""
