"""A real Chromium against one whole desk: what a person sees, presses and reads."""
