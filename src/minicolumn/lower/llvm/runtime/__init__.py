"""Runtime: object code made, cached and loaded; calls into it, threads, and how many of them."""
