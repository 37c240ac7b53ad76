"""The templates that ship with the program, the typesetter, and signatures in PDF files."""
