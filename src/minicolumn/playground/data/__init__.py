"""Points to learn from: random numbers, generators, the points themselves and their CSV."""
