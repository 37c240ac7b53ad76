"""Origination rules: what an application asks, which answers are none, what lets it be handed in, accepted, refused."""
