"""What every business needs and no margin desk is special in."""
