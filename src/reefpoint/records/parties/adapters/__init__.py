"""Files as people send them."""
