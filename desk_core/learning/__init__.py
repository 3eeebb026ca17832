"""What operators teach the desk, and what became of each training."""
