"""Plan to machine code: LLVM text written from Python, optimised, loaded, and kept on disk."""
