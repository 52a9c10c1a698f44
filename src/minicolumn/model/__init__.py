"""A trained network as one object and one file."""

from minicolumn.model.model import Model, load

__all__ = ["Model", "load"]
