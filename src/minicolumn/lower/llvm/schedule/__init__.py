"""Schedule: which kernels run, in which loops, on which thread, and where every array lies."""
