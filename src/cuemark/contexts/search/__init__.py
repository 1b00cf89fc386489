"""Search: see ``cuemark.contracts.search``."""
