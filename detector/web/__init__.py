"""What `detector serve` answers: the night's alerts, the metrics, and whether it is alive. Read-only."""
