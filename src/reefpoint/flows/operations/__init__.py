"""The desk's day: business clock, day run, replay of a past market, proof of the state."""
