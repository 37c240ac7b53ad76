"""What is on record of clients, within an actor's scope, and the operator's licences."""
