"""Numbers only: the book as columns, exact valuation, the watch on ticks, liquidation plans, interest.

Arrays in, arrays out: no Django, no clock, no I/O.
"""
