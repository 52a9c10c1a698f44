"""Automatic differentiation, graph to graph: one reverse sweep, and every derivative that is made of it."""
