"""Array data sets: readers of files that hold arrays of numbers, and the built-in tables' files.

    read_idx        images and labels in the IDX format of MNIST and its kin, also gzipped
    image_table     such images as the rows of a table, a column a pixel
    points          points in a plane, drawn from a seed: those of the playground

Tables of columns are read by `minicolumn.tables`.
"""

from minicolumn.data.idx import read_idx
from minicolumn.data.image_table import image_table

__all__ = ["image_table", "read_idx"]
