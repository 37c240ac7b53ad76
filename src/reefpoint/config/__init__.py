"""Settings, URLs and the wiring table, where every event meets its handlers."""
