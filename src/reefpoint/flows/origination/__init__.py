"""From a lead to an accepted client: leads, applications, the decision on them."""
