"""The output activation of a network, and whether its loss would apply the same once more."""

from __future__ import annotations

from minicolumn.errors import DataError
from minicolumn.nn.layer import Layer
from minicolumn.nn.layers.containers import Sequential
from minicolumn.nn.layers.dense import Activation, Dense
from minicolumn.nn.losses import LossRule


def check_ending(who: str, network: Layer, rule: LossRule | None) -> None:
    """Refuse a network that ends in the activation which its loss applies to the outputs by itself.

    Cross-entropies take raw scores: with a softmax in front, theirs would be the second one, all shares
    would be nearly alike and hardly anything would be learnt.

    rule        of the loss; None for an own function, which applies nothing

    Errors      DataError that says what to leave out

    >>> from minicolumn.nn.losses import LOSSES
    >>> check_ending("fit", Dense(1), LOSSES["binary_cross_entropy"])
    """
    if rule is None or rule.output_activation == "linear" or ending(network) != rule.output_activation:
        return
    raise DataError(
        f"{who}: the network ends in {rule.output_activation}, which the loss {rule.name} applies to its "
        "outputs by itself; leave it out of the last layer (predictions come with it)"
    )


def ending(layer: Layer) -> str:
    """Return the name of the activation that comes last; "linear" where there is none with a name.

    >>> ending(Sequential(Dense(4, "relu"), Dense(3), Activation("softmax")))
    'softmax'
    """
    if isinstance(layer, Sequential):
        return ending(layer.layers[-1]) if layer.layers else "linear"
    if isinstance(layer, Dense | Activation):
        last = layer.activation if isinstance(layer, Dense) else layer.function
        return last if isinstance(last, str) else "linear"
    return "linear"
