"""Who: clients of the desk, and the operator with its licences."""
