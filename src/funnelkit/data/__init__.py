"""Frames bound to tables, and what is known about them."""
