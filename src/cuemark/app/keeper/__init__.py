"""The process that keeps an appliance, and replaces its release by another."""
