"""What is known of leads and applications, and what a loan would cost and risk before anything is signed."""
