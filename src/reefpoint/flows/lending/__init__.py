"""Lending: from an accepted client's request to a funded account, and its renewal or its end."""
