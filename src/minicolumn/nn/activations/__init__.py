"""Activation functions, in plain NumPy: rectifiers, sigmoids, gated units, softmax, and their registry."""

from minicolumn.nn.activations.table import ACTIVATIONS, ALIASES, ActivationRule, activation_by_name

__all__ = ["ACTIVATIONS", "ALIASES", "ActivationRule", "activation_by_name"]
