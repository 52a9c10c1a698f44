"""Measurements beside other libraries, on the machine at hand."""
