"""Collateral: what is accepted from when, each name's haircut with what it rests on, and how a cut takes force."""
