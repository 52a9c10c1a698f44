"""Code generation: a schedule as LLVM text."""
