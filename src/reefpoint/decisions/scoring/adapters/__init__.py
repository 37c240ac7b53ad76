"""What scoring takes from outside: the models that come with the program."""
