"""What the record teaches: figures over the finished book."""
