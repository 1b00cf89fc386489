"""Where what decides in production is tried on worlds that can be repeated."""
