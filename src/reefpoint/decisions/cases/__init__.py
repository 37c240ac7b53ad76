"""What becomes of alerts: cases, their disposition, and the extract for a report."""
