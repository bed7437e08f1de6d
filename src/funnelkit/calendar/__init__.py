"""Calendars: how time is divided into periods."""
