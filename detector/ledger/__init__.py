"""What was read, what was written and what was scanned: the tables that make a rerun harmless."""
