"""Governance of data and models: sources with owners and checks, models with versions, releases and drift."""
