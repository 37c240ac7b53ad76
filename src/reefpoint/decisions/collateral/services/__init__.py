"""What can be done about collateral."""
