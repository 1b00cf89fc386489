"""Data folders as earlier releases wrote them: ``python -m tests.e2e.folders REVISION NAME``."""
