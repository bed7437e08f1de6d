"""Metrics, their cards and the registry."""
