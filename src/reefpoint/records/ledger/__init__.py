"""Double entry: accounts, balances, journals, holds, book days and the sealed chain."""
