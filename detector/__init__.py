"""Reads police-index access logs every night and ranks the look-ups that nothing legitimate explains."""

__version__ = "0.1.0"
