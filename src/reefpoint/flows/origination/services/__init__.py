"""What is done with leads and applications, by noun."""
