"""Names against lists of sanctioned and exposed people: versions of lists, matches with reasons, hits and two people."""
