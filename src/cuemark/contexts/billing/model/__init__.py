"""What billing decides: pure, synchronous, and by a clock that is given to it."""
