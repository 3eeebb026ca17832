"""Articles and the feedback on them."""
