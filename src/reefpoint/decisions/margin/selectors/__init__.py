"""Reads of margin decisions, by subject: standing (measures), calls, pages, proof."""
