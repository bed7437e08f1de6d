"""Metrics asked of a shop."""
