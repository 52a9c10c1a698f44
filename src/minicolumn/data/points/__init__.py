"""Points in a plane to learn from: random numbers, generators, the points themselves and their CSV."""
