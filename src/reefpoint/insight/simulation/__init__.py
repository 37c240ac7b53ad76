"""What a scheme would have done: its lines, calls and sales on a real price history, before anybody signs it."""
