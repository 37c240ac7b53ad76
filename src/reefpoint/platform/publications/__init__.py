"""Tables and questionnaires in versions: written by one person, published by a second, never changed again."""
