"""What every caller of search may rely on, whatever engine is behind it."""
