"""Speaking with the sign-in libraries."""
