"""Kernels to source code that people can read: C99 and JavaScript."""
