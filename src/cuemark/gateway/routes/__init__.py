"""The routes, one file for each noun. Each translates and decides nothing."""
