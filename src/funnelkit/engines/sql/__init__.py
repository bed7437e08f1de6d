"""The relational plan as SQL."""
