"""What people and programs touch.

A surface parses, makes one call, renders; it computes nothing and imports no models.
"""
