"""A small shop made of nothing but a seed."""
