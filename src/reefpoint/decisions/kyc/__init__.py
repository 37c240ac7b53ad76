"""Know your client: identifiers, beneficial owners, risk rating, reviews that fall due."""
