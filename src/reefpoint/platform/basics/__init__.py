"""Money, day counts, state tables, actors, refusals and findings. Pure: no Django, no clock, no I/O."""
