"""Credit: the policy as decision tables, the recommended limit, grade and conditions, and who may approve them."""
