"""What the collateral is worth in a forced sale: haircuts proposed from prices, and the lender's gap loss."""
