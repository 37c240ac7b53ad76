"""Rules of a simulation: what can be played, what happens by day, how a day runs, how a file of prices is read."""
