"""Names against lists of sanctioned and exposed people: lists in versions, matches with reasons, hits."""
