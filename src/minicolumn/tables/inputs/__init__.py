"""Encoders of single columns: numbers, dates, booleans and categories to features."""
