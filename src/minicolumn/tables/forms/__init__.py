"""Forms of cells: how numbers and dates are written, inferred from a column and read by it."""
