"""The room `softmax`: scores, temperature, probabilities, the loss and its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.errors import DataError
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.losses import Loss
from minicolumn.playground.frames import Frame
from minicolumn.playground.lines import line
from minicolumn.playground.room import Room
from minicolumn.registry import Integer, Listed, Number, Record

SCORE = Number(help="The score of a class.", ge=-20, le=20)
TEMPERATURES = np.geomspace(0.05, 20.0, 81)


@dataclass(frozen=True, kw_only=True)
class Scores(Record):
    """Scores of classes, how far they are divided, and which class is right."""

    scores: Annotated[
        tuple[float, ...],
        Listed(help="Scores.", of=SCORE, words="2 to 8 numbers from -20 to 20", least=2, longest=8),
    ] = (2.0, 1.0, -1.0)
    temperature: Annotated[float, Number(help="What scores are divided by.", ge=0.05, le=20)] = 1.0
    target: Annotated[int, Integer(help="The right class.", ge=0, lt=8)] = 0


class SoftmaxRoom(Room):
    """Scores that become probabilities, and what the cross-entropy makes of them.

        p = softmax(s / T),   loss = -log p[target],   d loss / d s = (p - one_hot) / T

    A `state` holds every number in between; `sweep` [temperatures, classes] has the same scores'
    probabilities over all `temperatures`.
    """

    name = "softmax"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {
        "open": (Scores, "set"),
        "set": (Scores, "set"),
    }

    def set(self, said: Scores) -> list[Frame]:
        """Answer with every number from the scores to the gradient.

        Errors      DataError for a class that has no score
        """
        if said.target >= len(said.scores):
            raise DataError(line("noClass", count=len(said.scores)))
        scores, target = np.array(said.scores), np.array([said.target])
        cross_entropy = Loss("softmax_cross_entropy")

        def loss(s: Any) -> Any:
            return cross_entropy(s[None] / said.temperature, target)

        value, gradient = value_and_grad(loss)(scores)
        scaled = scores / said.temperature
        softmax = activation_by_name("softmax").function
        p, sweep = softmax(scaled[None])[0], softmax(scores / TEMPERATURES[:, None])
        powers = np.exp(scaled - scaled.max())
        says: dict[str, Any] = {
            "scores": list(said.scores), "temperature": said.temperature, "target": said.target,
            "scaled": scaled.tolist(), "powers": powers.tolist(), "sum": float(powers.sum()),
            "probabilities": p.tolist(), "loss": float(value), "gradient": gradient.tolist(),
            "entropy": float(-np.sum(p * np.log(np.maximum(p, np.finfo(float).tiny)))),
        }  # fmt: skip
        return [self.frame("state", says, temperatures=TEMPERATURES, sweep=np.asarray(sweep))]
