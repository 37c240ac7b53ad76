"""Margin accounts with their facility, loans and positions; their money is in the ledger.

The account row is the lock of everything that moves them.
"""
