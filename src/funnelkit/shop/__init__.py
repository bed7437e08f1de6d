"""A shop: frames bound to the canonical tables, with settings."""
