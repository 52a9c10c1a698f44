"""NumPy in, graph out: values that record what NumPy does to them."""
