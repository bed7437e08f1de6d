"""A report of a shop on one page."""
