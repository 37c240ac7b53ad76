"""The engine over many processes: blocks of accounts that stay resident, ticks that reach all of them.

It knows the engine and nothing above it: no database, no clients, no clock.
"""
