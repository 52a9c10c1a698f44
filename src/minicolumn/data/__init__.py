"""Array data sets: readers of files that hold arrays of numbers, and the built-in tables' files.

    read_idx        images and labels in the IDX format of MNIST and its kin, also gzipped
    points          points in a plane, drawn from a seed: those of the playground

Tables of columns are read by `minicolumn.tables`.
"""

from minicolumn.data.idx import read_idx

__all__ = ["read_idx"]
