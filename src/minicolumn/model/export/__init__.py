"""Exports: a trained network, its preprocessing included, in the languages and formats of others."""
