"""How notices leave the program."""
