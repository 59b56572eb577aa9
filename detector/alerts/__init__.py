"""From a night's findings to alerts: grouped, scored, put into words, ranked, cut to the budget. Pure functions."""
