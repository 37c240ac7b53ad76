"""What comes with the program, as YAML files."""
