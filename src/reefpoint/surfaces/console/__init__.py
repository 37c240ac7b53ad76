"""The staff console: what a risk officer keeps open all day."""
