"""The output activation of a network, its mean over members, and whether they fit its loss."""

from __future__ import annotations

from minicolumn.errors import DataError
from minicolumn.nn.layer import Layer
from minicolumn.nn.layers.containers import Sequential
from minicolumn.nn.layers.dense import Activation, Dense
from minicolumn.nn.layers.ensemble import Ensemble, MeanOfMembers, average_of
from minicolumn.nn.layers.members import BatchEnsemble, MemberDense
from minicolumn.nn.losses import LossRule

SHARES = {"softmax", "logistic", "probabilities"}  # averages of probabilities


def check_ending(who: str, network: Layer, rule: LossRule | None) -> None:
    """Refuse a network that ends in the activation which its loss applies to the outputs by itself.

    Cross-entropies take raw scores: with a softmax in front, theirs would be the second one, all shares
    would be nearly alike and hardly anything would be learnt.

    A mean of members' probabilities is refused where the loss takes the outputs for something else.

    rule        of the loss; None for an own function, which applies nothing

    Errors      DataError that says what to leave out

    >>> from minicolumn.nn.losses import LOSSES
    >>> check_ending("fit", Dense(1), LOSSES["binary_cross_entropy"])
    """
    mean = mean_of_members(network)
    if rule and mean and mean.average in SHARES and rule.output_activation not in ("softmax", "logistic"):
        raise DataError(
            f"{who}: the network averages its members' probabilities, and the loss {rule.name} knows none; "
            f"end in {type(mean).__name__} of average='numbers' instead"
        )
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
        *front, last = layer.layers or (layer,)
        if isinstance(last, MeanOfMembers):
            return ending(Sequential(*front))
        return ending(last) if layer.layers else "linear"
    if isinstance(layer, Ensemble):
        endings = {ending(member) for member in layer.members}
        return endings.pop() if len(endings) == 1 else "linear"
    if isinstance(layer, Dense | BatchEnsemble | MemberDense | Activation):
        last = layer.function if isinstance(layer, Activation) else layer.activation
        return last if isinstance(last, str) else "linear"
    return "linear"


def check_probabilities(who: str, network: Layer, rule: LossRule | None, outputs: tuple[int, ...]) -> None:
    """Refuse a mean of probabilities of several outputs that are no classes of one softmax.

    rule        of the loss; outputs: shape of one row of the network's output
    Errors      DataError
    """
    mean = mean_of_members(network)
    if mean is None or mean.average not in SHARES or rule is None or not outputs:
        return
    applied, found = rule.output_activation, average_of(mean.average, outputs[-1])
    if applied in ("softmax", "logistic") and applied != found:
        takes = "the classes of one softmax" if found == "softmax" else "as many answers by themselves"
        other = "for as many answers by themselves" if found == "softmax" else "for classes of one softmax"
        raise DataError(
            f"{who}: {type(mean).__name__} takes {outputs[-1]} outputs for {takes}, and the loss {rule.name} "
            f"{other}; average {applied!r}, or 'numbers'"
        )


def mean_of_members(layer: Layer) -> MeanOfMembers | Ensemble | None:
    """Return the mean over members that a network ends in, if it does.

    >>> mean_of_members(Sequential(MeanOfMembers("probabilities"))).average
    'probabilities'
    """
    if isinstance(layer, Sequential) and layer.layers:
        return mean_of_members(layer.layers[-1])
    return layer if isinstance(layer, MeanOfMembers | Ensemble) else None
