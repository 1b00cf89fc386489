"""What search decides, without input or output."""
