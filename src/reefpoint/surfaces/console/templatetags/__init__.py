"""Words that the console adds to templates."""
