"""What experiments decide, without input and output."""
