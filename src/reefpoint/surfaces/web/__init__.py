"""What every page shares: the frame, figures in words and digits, tables, charts, live updates, error pages."""
