"""The parts of make_samples.py: an invented force, its habits, its misuse, and the formats its systems write."""
