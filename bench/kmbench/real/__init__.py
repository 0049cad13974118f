"""Real programs, one module each."""
