"""Instruments, trading calendars and append-only prices with source, time and quality verdict."""
