"""Margin accounts with their facility, loans, positions and cash.

The account row is the lock of everything that moves them.
"""
