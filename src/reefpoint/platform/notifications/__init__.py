"""Notices to people with evidence of their delivery."""
