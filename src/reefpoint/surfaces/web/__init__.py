"""What every page shares: frame, styles, widgets, charts, live streams, sign-in pages."""
