"""Keys and sealed values: what is encrypted at rest, under which key, and how keys turn."""
