"""Decision tables: rows of conditions in exact cells, proved whole when they are made.

A table that leaves an input without an answer, gives one two answers, or has a cell that cannot be read is never made:
`MalformedTable` names the cell. An input that is missing, of another type or outside what its column declares raises
`MissingInput` instead of matching a row: there is no default row and no silent zero (I61, I62). Numbers are whole or
exact decimals; a float is refused wherever it stands.
"""
