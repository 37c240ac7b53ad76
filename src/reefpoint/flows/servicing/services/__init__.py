"""What can be done with an open account, by subject: opening, credit, cash, trading, interest."""
