"""The desk's figures by day: utilisation, income, calls, sales, losses."""
