"""Sigma rules: loaded, linted, compiled to booleans over a table, run in one pass, and turned into findings."""
