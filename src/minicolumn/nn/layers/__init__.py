"""Layers: dense, normalization, noise, embeddings, encodings of numbers, heads and containers.

`minicolumn.nn` has them all by name. Nothing is imported here, since outputs know a layer and layers know
activations, which know losses and so outputs.
"""
