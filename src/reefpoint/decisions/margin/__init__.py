"""Margin states and margin calls: which band an account is in, who is called, until when, and how a call ends."""
