"""How names are folded and scored, what becomes a hit, and the states of lists and hits."""
