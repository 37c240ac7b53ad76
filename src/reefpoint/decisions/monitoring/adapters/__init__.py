"""The files that come with monitoring."""
