"""What fraud decides, without input and output."""
