"""Contracts: templates, personal contracts, what was disclosed and acknowledged, signatures, the filed bytes."""
