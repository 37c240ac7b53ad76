"""What clients touch: enquire, apply, follow."""
