"""Long files handed in: read row by row, the good ones taken, the bad ones given back with reasons."""
