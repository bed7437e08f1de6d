"""Real clickstreams bound to the canonical tables."""
