"""What appliances delivered: their lines, kept, and what they add up to, minute by minute."""
