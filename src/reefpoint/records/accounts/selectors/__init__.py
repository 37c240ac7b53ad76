"""Reads of accounts: facts for valuation, whose they are, what they hold and owe, and the proof of it."""
