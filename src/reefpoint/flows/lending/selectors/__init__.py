"""What the credit flow tells."""
