"""What the collateral is worth in a forced sale: the lender's gap loss."""
