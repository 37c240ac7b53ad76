"""Where calendars and prices come from: one file per source."""
