"""The cash rail: funding pools, the bank and its statements, cash reconciliation."""
