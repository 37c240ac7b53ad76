"""What margin decisions do: settle what a measure leads to, run the life of a call, watch the book."""
