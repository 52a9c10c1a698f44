"""Exports: a trained network in the languages of others."""
