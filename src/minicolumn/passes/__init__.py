"""Graph to plan: rewrites that keep every bit, and the order in which to run what is left."""
