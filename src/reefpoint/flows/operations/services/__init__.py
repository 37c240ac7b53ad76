"""Running the desk: its clock, the end of a business day, the replay of a past market, the demo desk."""
