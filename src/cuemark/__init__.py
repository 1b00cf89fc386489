"""Cuemark: the streaming service you can own, run, break and measure."""
