"""Seeded weeks of demand over regions, and the planner of production beside caches on them."""
