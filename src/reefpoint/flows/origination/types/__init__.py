"""Leads and applications as other parts see them."""
