"""Settings, URLs and the wiring table: the one place where every event meets its handlers and every job its schedule."""
