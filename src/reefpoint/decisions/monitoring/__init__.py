"""Typologies over what clients do: rules in versions, the facts they read, the alerts they raise."""
