"""What templates of the portal need to say."""
