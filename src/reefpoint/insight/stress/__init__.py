"""The live book under prices that might be: who would fall where, and what the desk would lose."""
