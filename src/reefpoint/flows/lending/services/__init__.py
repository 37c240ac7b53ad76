"""What the credit flow does, one transaction each."""
