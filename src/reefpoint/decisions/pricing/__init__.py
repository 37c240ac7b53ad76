"""Pricing: what a loan costs and why, quotes that hold for a time, and when a rate may change."""
