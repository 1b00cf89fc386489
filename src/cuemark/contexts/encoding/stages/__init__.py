"""The stages of a title: each reads objects, runs tools, and leaves one object behind."""
