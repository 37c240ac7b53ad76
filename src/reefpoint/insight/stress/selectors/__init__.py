"""What the desk and one account are under scenarios."""
