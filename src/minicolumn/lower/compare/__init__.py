"""Native code compared with the reference, operation by operation, within error bounds."""
