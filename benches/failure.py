"""What stops a bench."""


class BenchFailed(Exception):
    """A bench could not measure; the text says why and what to do."""
