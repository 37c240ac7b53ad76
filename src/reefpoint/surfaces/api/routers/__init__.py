"""The addresses, one file for a noun."""
