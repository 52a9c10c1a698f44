"""The room `digits`: an image network on handwritten digits; draw one, and see what each neuron answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.model.metrics import confusion
from minicolumn.nn import Dense, Dropout, Sequential
from minicolumn.nn.activations import activation_by_name
from minicolumn.optim import Adam
from minicolumn.playground.allowance import AT_ONCE, Allowance, work_of_step
from minicolumn.playground.frames import Frame
from minicolumn.playground.room import Epochs, Nothing, Room
from minicolumn.registry import Integer, Listed, Number, Record
from minicolumn.train import Trainer
from minicolumn.tree import leaves

Array = np.ndarray
SIDE, CLASSES = 8, 10
LARGEST = 16.0  # of a pixel
MOST_CURVE = 500  # epochs
SHOWN = 10  # examples of each class that the page may pick from
INK = Number(help="How dark a pixel is.", ge=0, le=1)


@dataclass(frozen=True, kw_only=True)
class Make(Record):
    """The network."""

    units: Annotated[
        tuple[int, ...],
        Listed(help="Neurons of each hidden layer.", of=Integer(help="Neurons.", ge=1, le=64),
               words="1 to 3 numbers from 1 to 64", least=1, longest=3),
    ] = (32, 16)  # fmt: skip
    dropout: Annotated[float, Number(help="Share of hidden neurons silenced in a step.", ge=0, le=0.9)] = 0.1
    learning_rate: Annotated[float, Number(help="Of Adam.", gt=0, le=1)] = 0.003
    seed: Annotated[int, Integer(help="Of the first weights.", ge=0, lt=2**31)] = 0


@dataclass(frozen=True, kw_only=True)
class Draw(Record):
    """A digit, row by row from the upper left pixel on."""

    pixels: Annotated[
        tuple[float, ...],
        Listed(
            help="Pixels.", of=INK, words="64 numbers from 0 to 1", least=SIDE * SIDE, longest=SIDE * SIDE
        ),
    ]


class DigitsRoom(Room):
    """A network 64-32-16-10 on the 1,797 digits of scikit-learn, 8 by 8 pixels; one in four is held out.

    A `tick` has the accuracy, the weights of the first layer as pictures and the confusion matrix; a `seen`
    what every neuron answers to the digit that was drawn.

    Source      E. Alpaydin and C. Kaynak, UCI ML repository, CC BY 4.0; part of scikit-learn
    """

    name = "digits"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {
        "open": (Make, "open"),
        "run": (Epochs, "run"),
        "pause": (Nothing, "pause"),
        "step": (Epochs, "step"),
        "draw": (Draw, "draw"),
    }

    steps_a_second: ClassVar[float] = 400.0  # about ten epochs, slow enough to see its weights take shape

    def __init__(self) -> None:
        self._running, self._allowance = False, Allowance()
        self._end: int | None = None  # the epoch at which a run ends
        self._hurried = False  # whether it is a long step, as fast as it goes
        self._trainer: Trainer | None = None
        self._X, self._y = _digits()
        self._held = np.arange(len(self._X)) % 4 == 3
        self._pixels: Array | None = None
        self._curve: list[tuple[float, float, float]] = []  # epoch, shares of training and test rows

    @property
    def trainer(self) -> Trainer:
        """The training; begun where the room was not opened."""
        if self._trainer is None:
            self._begin(Make())
        assert self._trainer is not None
        return self._trainer

    def _begin(self, said: Make) -> None:
        layers = [layer for units in said.units for layer in (Dense(units, "relu"), Dropout(said.dropout))]
        network = Sequential(*layers, Dense(CLASSES))
        rows = ~self._held
        self._trainer = Trainer(
            network, self._X[rows], self._y[rows], optimizer=Adam(said.learning_rate), batch_size=32,
            seed=said.seed, epochs=10**9,
        )  # fmt: skip
        self._trainer.limit_history(2)
        self._running = False
        self._curve = []

    def open(self, said: Make) -> list[Frame]:
        """Begin with first weights, and one digit of each class to look at."""
        self._begin(said)
        chosen = np.concatenate([np.flatnonzero(self._held & (self._y == k))[:SHOWN] for k in range(CLASSES)])
        says = {
            "units": list(said.units), "side": SIDE, "classes": list(map(str, range(CLASSES))),
            "rows": {"train": int((~self._held).sum()), "test": int(self._held.sum())},
            "dropout": said.dropout, "learning_rate": said.learning_rate,
            "parameters": sum(leaf.size for leaf in leaves(self.trainer.params)),
        }  # fmt: skip
        digits = (255 * self._X[chosen]).astype(np.uint8).reshape(-1, SIDE, SIDE)
        state = self.frame("state", says, digits=digits, labels=self._y[chosen].astype(np.int32))
        self._pixels = self._X[chosen[0]] if self._pixels is None else self._pixels
        return [state, self._tick(), self._seen()]

    def run(self, said: Epochs) -> list[Frame]:
        """Train on and on, or for so many epochs."""
        self._end = None if said.epochs is None else self.trainer.epoch + said.epochs
        self._running, self._hurried, self._allowance = True, False, Allowance()
        return [self._tick()]

    def pause(self, said: Nothing) -> list[Frame]:
        """Stop training."""
        self._running = False
        return [self._tick()]

    def step(self, said: Epochs) -> list[Frame]:
        """Train for so many epochs at once, one where nothing is said; what takes long goes on as a run."""
        self._running, epochs, trainer = False, said.epochs or 1, self.trainer
        if epochs * trainer.steps * work_of_step(trainer) > AT_ONCE:
            self._running, self._hurried, self._end = True, True, trainer.epoch + epochs
            return [self._tick(), self._seen()]
        for _ in range(epochs):
            self.trainer.advance(epochs=1)
            self._note(self.trainer.outputs(self._X).argmax(axis=1) == self._y)
        return [self._tick(), self._seen()]

    def draw(self, said: Draw) -> list[Frame]:
        """Look at a digit that was drawn."""
        self._pixels = np.array(said.pixels, np.float32)
        return [self._seen()]

    @property
    def running(self) -> bool:
        return self._running

    def work(self, seconds: float, draw: bool = True) -> list[Frame]:
        """Go on for as many steps as the time allows."""
        trainer = self.trainer
        steps = self._allowance.due(self.steps_a_second, seconds)
        if self._hurried:
            steps = max(1, int(seconds / trainer.seconds_a_step))
        if not steps:
            return []
        if self._end is not None:
            steps = min(steps, (self._end - trainer.epoch) * trainer.steps - trainer.done)
        trainer.advance(steps=steps)
        if self._end is not None and trainer.epoch >= self._end:
            self._running = False
        return [self._tick(), self._seen()] if draw or not self._running else []

    def _note(self, right: Array) -> None:
        """Note how right it is after this epoch: of an epoch the newest counts."""
        row = (self.trainer.epoch, right[~self._held].mean(), right[self._held].mean())
        if self._curve and self._curve[-1][0] == row[0]:
            self._curve.pop()
        self._curve.append(row)
        self._curve = self._curve[::2] if len(self._curve) > MOST_CURVE else self._curve

    def _tick(self) -> Frame:
        trainer = self.trainer
        answers = trainer.outputs(self._X).argmax(axis=1)
        right = answers == self._y
        self._note(right)
        table = confusion(self._y[self._held], answers[self._held], CLASSES)
        says = {
            "epoch": trainer.epoch, "step": trainer.step, "running": self._running,
            "accuracy": dict(zip(("train", "test"), self._curve[-1][1:], strict=True)),
        }  # fmt: skip
        first = trainer.params["0"]["weight"]
        size = np.abs(first).max(axis=0)
        pictures = np.clip(127.5 + 127.5 * first / np.where(size > 0, size, 1.0), 0, 255).astype(np.uint8)
        wrong = np.flatnonzero(~right & self._held)[:24]
        return self.frame(
            "tick", says, curve=np.array(self._curve, np.float64),
            weights=pictures.T.reshape(-1, SIDE, SIDE), confusion=table.astype(np.int32),
            missed=(255 * self._X[wrong]).astype(np.uint8).reshape(-1, SIDE, SIDE),
            missed_labels=np.stack([self._y[wrong], answers[wrong]], axis=1).astype(np.int32),
        )  # fmt: skip

    def _seen(self) -> Frame:
        trainer = self.trainer
        pixels = self._X[0] if self._pixels is None else self._pixels
        x: Any = pixels[None]
        layers = {}
        for place, layer in enumerate(trainer.network.layers):  # type: ignore[attr-defined]
            x = layer.apply(trainer.params[str(place)], x)
            if isinstance(layer, Dense):
                layers[f"layer{len(layers)}"] = np.asarray(x[0], np.float32)
        scores = layers[f"layer{len(layers) - 1}"]
        p = activation_by_name("softmax").function(scores[None].astype(np.float64))[0]
        says = {"answer": int(p.argmax()), "probabilities": p.tolist()}
        return self.frame("seen", says, pixels=pixels, **layers)


def _digits() -> tuple[Array, Array]:
    """Return pixels from 0 to 1, float32 [rows, 64], and digits, int32 [rows]."""
    from sklearn.datasets import load_digits

    found: Any = load_digits(return_X_y=True)
    X, y = found
    return (X / LARGEST).astype(np.float32), y.astype(np.int32)
