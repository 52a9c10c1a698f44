"""Intermediate representation: types, operations, graphs, their text form and their invariants."""
