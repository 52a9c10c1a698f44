"""Tracing (define-by-run): NumPy in, graph out, by values that record what NumPy does to them."""
