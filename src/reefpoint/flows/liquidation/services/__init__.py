"""How a forced sale goes: opened, planned for a session, sent under the account's lock, followed to its end."""
