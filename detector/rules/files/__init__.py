"""The files of events that `rules run` reads: JSONL, JSON, CSV and Parquet, and what cannot be read of them."""
