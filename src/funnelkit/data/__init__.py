"""Frames bound to tables, and what is known of them."""
