"""Alerts and decisions: the tables, what may be done to them, and the pages."""
