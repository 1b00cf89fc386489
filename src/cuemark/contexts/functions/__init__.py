"""Functions: what the operator has run on events, in a box, with retries and limits."""
