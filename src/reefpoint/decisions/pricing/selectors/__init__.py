"""What pricing tells."""
