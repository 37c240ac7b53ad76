"""Who belongs together: links by what clients share, connected groups, their exposure and limits."""
