"""The decisions of licensing, pure: who may have which key, and how keys are named and sent."""
