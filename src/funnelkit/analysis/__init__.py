"""Analyses built on results."""
