"""Reading tables: files, frames and standard input to frames of raw cells, with a note on each guess."""
