"""Selling collateral when a call went unanswered or the close-out line broke: plan, send, fill, finish."""
