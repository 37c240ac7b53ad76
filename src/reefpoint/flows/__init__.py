"""What the desk does: each flow moves money and securities through the records, one transaction a step."""
