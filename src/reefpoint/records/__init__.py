"""What is true: who, what and how much."""
