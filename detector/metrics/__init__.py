"""What Prometheus reads: everything from the database at the scrape, nothing about a person."""
