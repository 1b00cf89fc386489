"""Windows, the clocks that they go by, and what they allow."""
