"""Evaluation of metrics on a shop."""
