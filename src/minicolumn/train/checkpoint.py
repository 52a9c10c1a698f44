"""Checkpoints: the state of a training in a file, from which it resumes bit for bit.

    <model file>                    what `mc.load` opens: the weights that would be handed back
    params.*  moments.*  best.*     tensors: weights, optimizer's moments, best weights so far
    history, history.present        int64 [names, epochs], the bits of float64 figures; bool, which there are
    JSON                            settings, callbacks, step, seen, sums, ..., digests of the rows

As in every model file nothing in it names code: reading one runs none, and own functions cannot be written.
The rows are not in it; their SHA-256 is, so that a training cannot go on with others by mistake.

Differs     PyTorch and scikit-learn write pickles, which run code when they are opened unless restricted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.errors import DataError, MinicolumnError, ModelFileError, one_line
from minicolumn.model.artifact import (
    Artifact,
    Extra,
    artifact_from_bytes,
    artifact_to_bytes,
    load_artifact,
    save_artifact,
)
from minicolumn.model.files import PathLike, shown
from minicolumn.model.rows import LabeledRows
from minicolumn.nn.layer import Layer
from minicolumn.nn.serialize import from_json as layer_from_json
from minicolumn.train.callbacks import CALLBACKS, Callback
from minicolumn.train.data import check_data, check_shape, fingerprint
from minicolumn.train.history import Row
from minicolumn.train.interrupts import deferred
from minicolumn.train.settings import Settings
from minicolumn.train.settings_json import settings_from_json, settings_to_json
from minicolumn.train.snapshot import Snapshot
from minicolumn.train.types import Inputs, Validation
from minicolumn.tree import Tree, flatten, named_leaves, unflatten

if TYPE_CHECKING:
    from minicolumn.train.trainer import Trainer

Array = np.ndarray
T = TypeVar("T")
TrainerT = TypeVar("TrainerT", bound="Trainer")

_TREES = ("params", "moments", "best")
_HISTORY, _PRESENT = "history", "history.present"


# Writing ----------------------------------------------------------------------------------------------------


def write(trainer: Trainer, path: PathLike) -> None:
    """Write a checkpoint atomically: at every instant the path holds the old file or the new one.

    Ctrl-C waits until it is done.

    Errors      DataError for own functions, which no file holds, or if the disk refuses
    """
    artifact = _artifact(trainer)
    with deferred():
        save_artifact(artifact, path)


def to_bytes(trainer: Trainer) -> bytes:
    """Return the bytes of a checkpoint, which `read` takes in place of a path."""
    return artifact_to_bytes(_artifact(trainer))


def _artifact(trainer: Trainer) -> Artifact:
    check_savable(trainer)
    return replace(trainer.model.artifact(), checkpoint=_extra(trainer))


def check_savable(trainer: Trainer) -> None:
    """Refuse a training that no file can hold, such as one with own functions.

    Errors      DataError
    """
    if trainer.rule is not None or trainer.orders is not None:
        raise DataError("save: a training with a learning rule or orders of its own cannot be saved")
    settings_to_json(trainer.settings)


def _extra(trainer: Trainer) -> Extra:
    """Return what a checkpoint holds beside the model: the training's state as tensors, the rest as JSON."""
    stood = trainer.snapshot
    trees = {"params": stood.params, "moments": stood.moments, "best": stood.best_params}
    tensors = {
        f"{kind}.{path}": np.asarray(leaf) for kind in _TREES for path, leaf in named_leaves(trees[kind])
    }
    names = list(dict.fromkeys(name for row in stood.rows for name in row))
    tensors |= _history_tensors(stood.rows, names)
    description = {
        "settings": settings_to_json(trainer.settings),
        "callbacks": _callbacks_json(trainer.callbacks),
        "step": stood.step, "seen": stood.seen, "sums": list(stood.sums), "rate": stood.rate,
        "seconds": stood.seconds, "rate_factor": stood.rate_factor, "stop_reason": stood.stop_reason,
        "best_epoch": stood.best_epoch, "monitor": trainer.monitor, "epochs": trainer.epochs,
        "horizon": trainer.horizon, "columns": names,
        "rows": fingerprint(trainer.train_rows), "held": fingerprint(trainer.held_rows),
        "held_fraction": trainer.held_fraction, "held_seed": trainer.held_seed,
    }  # fmt: skip
    return Extra(description, tensors)


def _history_tensors(rows: Sequence[Row], names: Sequence[str]) -> dict[str, Array]:
    """Return the history as numbers [names, epochs], and which of them there are.

    The bits of the numbers stand as int64: a figure may be no finite number, which a tensor may not be.
    """
    present = np.array([[name in row for row in rows] for name in names], bool).reshape(len(names), len(rows))
    try:
        values = [[float(row.get(name, 0.0)) for row in rows] for name in names]
    except (TypeError, ValueError):
        raise DataError(
            "save: the history holds something that is no number, which a file cannot hold"
        ) from None
    bits = np.array(values, np.float64).reshape(present.shape).view(np.int64)
    return {_HISTORY: bits, _PRESENT: present}


def _callbacks_json(callbacks: Sequence[Callback]) -> list[Any]:
    """Return the callbacks of this package as JSON, and of others the name, so that they can be asked for."""
    listed = [callback for callback in callbacks if not callback.only_watches]
    known = tuple(CALLBACKS.values())
    return [
        CALLBACKS.to_json(callback) if type(callback) in known else {"own": type(callback).__name__[:60]}
        for callback in listed
    ]


# Reading ----------------------------------------------------------------------------------------------------


def read(
    kind: type[TrainerT],
    path: PathLike | bytes,
    X: Inputs,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    validation_data: Validation | None = None,
    callbacks: Sequence[Callback] | None = None,
    progress: bool | None = None,
) -> TrainerT:
    """Return the training in a checkpoint, resumed with the rows that are not in it.

    kind        the class to make one of, by its `from_snapshot`
    path        of the file; or its content
    others      as for `Trainer.resume`
    Errors      ModelFileError for a file that is damaged or no checkpoint, DataError for other rows
    """
    where = "a member's checkpoint" if isinstance(path, bytes) else shown(path)
    artifact = artifact_from_bytes(path, where) if isinstance(path, bytes) else load_artifact(path)
    if artifact.checkpoint is None:
        raise ModelFileError(
            f"{where} holds a model, not a training; open it with mc.load, and train on with "
            "mc.fit(..., params=model.params)"
        )
    told = _Told(where, artifact.checkpoint)
    network = layer_from_json(artifact.network)
    settings = told.settings()
    check_shape("resume", X, artifact.input_shape)
    fraction = told.number("held_fraction", 0.0, 1.0)
    _check_held(told, fraction, validation_data)
    seed = told.integer("held_seed", 0, 2**64 - 1)
    split = replace(settings, seed=seed)  # the seed may have been changed since
    train, held = check_data("resume", network, split, X, y, sample_weight, validation_data, fraction)
    for name, rows in (("rows", train), ("held", held)):
        _check_rows(told, name, rows)
    snapshot = told.snapshot(artifact, network, settings, len(train))
    epochs, horizon = told.integer("epochs", 0), told.integer("horizon", 0)
    return kind.from_snapshot(
        network, settings, train, held, snapshot, told.callbacks(callbacks), progress,
        epochs=epochs, horizon=horizon, monitor=told.text("monitor"), held_fraction=fraction, held_seed=seed,
    )  # fmt: skip


def _check_held(told: _Told, fraction: float, validation_data: Validation | None) -> None:
    if told.get("held") and not fraction and validation_data is None:
        raise DataError(
            "resume: rows were held out as validation_data, or stayed so when others were given to train on; "
            "give the same ones again: `trainer.held_rows` had them"
        )
    if fraction and validation_data is not None:
        raise DataError(
            "resume: rows were held out by validation_fraction, and are found again; give no others"
        )


def _check_rows(told: _Told, name: str, rows: LabeledRows | None) -> None:
    """Refuse rows whose digest is not the one in the file: one bit more or less is another training."""
    if fingerprint(rows) != told.get(name):
        which = "rows" if name == "rows" else "held-out rows"
        raise DataError(
            f"resume: {told.path} belongs to a training on other {which}; give the very X, y and weights "
            "that it began with"
        )


def _is_name(value: object) -> bool:
    return isinstance(value, str)


class _Told:
    """The description in a checkpoint, each part validated when it is asked for.

    A file may come from anywhere: what is missing, of another kind or out of range is a ModelFileError that
    names the file and the part. Tensors are taken out as they are asked for, so one that nothing needs shows.
    """

    def __init__(self, path: str, extra: Extra) -> None:
        self.path, self._description, self._tensors = path, extra.description, dict(extra.tensors)

    def get(self, name: str) -> Any:
        if name not in self._description:
            raise self._damaged(f"{name!r} is missing")
        return self._description[name]

    def integer(self, name: str, least: int, most: int = 2**53) -> int:
        value = self.get(name)
        if type(value) is not int or not least <= value <= most:
            raise self._damaged(f"{name!r} is no integer from {least} to {most}")
        return value

    def number(self, name: str, least: float = 0.0, most: float = np.inf) -> float:
        value = self.get(name)
        if type(value) not in (int, float) or not least <= value <= most:
            raise self._damaged(f"{name!r} is no number from {least:g} to {most:g}")
        return float(value)

    def text(self, name: str) -> str | None:
        value = self.get(name)
        if value is not None and (type(value) is not str or len(value) > 200):
            raise self._damaged(f"{name!r} is no text")
        return value

    def _damaged(self, what: str) -> ModelFileError:
        return ModelFileError(f"{self.path} is damaged: its training: {what}")

    def _parsed(self, what: str, parse: Callable[[], T]) -> T:
        """Return what a part of the description says; whatever is wrong with it is one kind of error."""
        try:
            return parse()
        except (MinicolumnError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise self._damaged(f"{what}: {one_line(error)}") from None

    def settings(self) -> Settings:
        told = self._parsed("settings", lambda: dict(self.get("settings")))

        return self._parsed("settings", lambda: settings_from_json(told))

    def callbacks(self, given: Sequence[Callback] | None) -> Sequence[Callback]:
        """Return the callbacks to go on with: given ones, or those that stand in the file."""
        if given is not None:
            return given
        listed = self.get("callbacks")
        if not isinstance(listed, list):
            raise self._damaged("'callbacks' is no list")
        own = [part["own"] for part in listed if isinstance(part, Mapping) and set(part) == {"own"}]
        if own:
            raise DataError(
                f"resume: the training had callbacks of its own, {', '.join(map(str, own))}, which no file "
                "holds; give callbacks=[...] again, all of them"
            )
        return self._parsed("callbacks", lambda: [CALLBACKS.from_json(part) for part in listed])

    def snapshot(self, artifact: Artifact, network: Layer, settings: Settings, rows: int) -> Snapshot:
        """Return where the training stands; tensors have the shapes and dtypes that the network asks for."""
        fresh = settings.optimizer.start(artifact.params, network.roles(artifact.input_shape))
        best_epoch = self.integer("best_epoch", 0)
        history = self._history()
        sums = self._parsed("sums", lambda: tuple(float(s) for s in self.get("sums")))
        if len(sums) > 2 or best_epoch > len(history):
            raise self._damaged("its figures do not fit each other")
        found = Snapshot(
            params=self._tree("params", artifact.params),
            moments=self._tree("moments", fresh),
            step=self.integer("step", 0),
            rows=history,
            seen=self.integer("seen", 0, rows),
            sums=sums,
            rate=self.number("rate"),
            seconds=self.number("seconds"),
            best_params=self._tree("best", artifact.params) if best_epoch else None,
            best_epoch=best_epoch,
            rate_factor=self.number("rate_factor"),
            stop_reason=self.text("stop_reason"),
        )
        if self._tensors:
            raise self._damaged(f"nothing needs its tensor {next(iter(self._tensors))[:60]!a}")
        return found

    def _tree(self, kind: str, like: Tree) -> Tree:
        """Return a tree of tensors, each of the shape and dtype that the network and optimizer ask for."""
        leaves = []
        for path, expected in named_leaves(like):
            array, want = self._tensors.pop(f"{kind}.{path}", None), np.asarray(expected)
            if array is None or array.shape != want.shape or array.dtype != want.dtype:
                raise self._damaged(f"{kind}: {path} is no {want.dtype} of shape {list(want.shape)}")
            leaves.append(array)
        return unflatten(flatten(like)[1], leaves)

    def _history(self) -> tuple[Row, ...]:
        """Return the rows of the history, the inverse of `_history_tensors`; epochs count from 1."""
        names, nothing = self.get("columns"), np.zeros(0)
        bits, present = (self._tensors.pop(name, nothing) for name in (_HISTORY, _PRESENT))
        fits = isinstance(names, list) and all(map(_is_name, names)) and bits.shape == present.shape
        if not fits or bits.ndim != 2 or bits.dtype != np.int64 or bits.shape[0] != len(names):
            raise self._damaged("history is no table")
        columns = [column.view(np.float64).tolist() for column in np.ascontiguousarray(bits)]
        rows = [
            {name: columns[k][epoch] for k, name in enumerate(names) if present[k, epoch]}
            for epoch in range(bits.shape[1])
        ]
        return tuple({**row, "epoch": number} for number, row in enumerate(rows, 1))
