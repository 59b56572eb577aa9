"""What the force knows besides its logs: reference tables, tidy, with what is missing said aloud."""
