"""Words that every template has: figures in words and digits."""
