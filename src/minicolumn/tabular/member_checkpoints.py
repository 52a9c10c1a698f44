"""Checkpoints of ensembles: where the training of each member stands, in one file.

    member.0, member.1, ...     uint8 [bytes]: each a checkpoint as `Trainer.save` writes it
    members                     how many there are to be, as JSON; those that have not begun are not in it

Each member takes down its own state in its own thread, and the file is written anew with the states of all.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.container import encode, load
from minicolumn.model.files import PathLike, shown, write_atomically
from minicolumn.train.callbacks import Callback, Checkpoint
from minicolumn.train.checkpoint import check_savable, to_bytes
from minicolumn.train.history import Row
from minicolumn.train.trainer import Trainer

_PREFIX, _COUNT = "member.", "members"
MOST = 10_000  # that a file may say


@dataclass(eq=False)
class MemberStates:
    """The states of the members of one ensemble, which their threads write and a file keeps.

    count       how many members there are to be
    states      of those that have begun, by number: a checkpoint's bytes
    file        where to keep them, and how often; None for nowhere
    """

    count: int
    states: dict[int, bytes] = field(default_factory=dict)
    file: Checkpoint | None = None
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def keeper(self, number: int) -> list[Callback]:
        """Return what is hung into the training of a member; nothing where no file is kept."""
        return [] if self.file is None else [_Keeper(self, number)]

    def keep(self, number: int, trainer: Trainer) -> None:
        """Take down where a member stands, and write the file."""
        state = to_bytes(trainer)
        with self._writing:
            self.states[number] = state
            self._write()

    def _write(self) -> None:
        assert self.file is not None
        tensors = {f"{_PREFIX}{n}": np.frombuffer(state, np.uint8) for n, state in self.states.items()}
        write_atomically(self.file.path, encode(tensors, {_COUNT: str(self.count)}))


@dataclass(frozen=True, eq=False)
class _Keeper(Callback):
    """Keep the state of one member now and then, and at its end."""

    states: MemberStates
    number: int
    _last: list[float] = field(default_factory=lambda: [time.monotonic()])

    only_watches = True

    def on_start(self, trainer: Trainer) -> None:
        check_savable(trainer)

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        self._keep_if_due(trainer)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        self._keep_if_due(trainer)

    def on_end(self, trainer: Trainer) -> None:
        self.states.keep(self.number, trainer)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: it only watches."""
        return math.inf

    def _keep_if_due(self, trainer: Trainer) -> None:
        assert self.states.file is not None
        if time.monotonic() - self._last[0] >= self.states.file.every:
            trainer.when_told(lambda: self.states.keep(self.number, trainer))
            self._last[0] = time.monotonic()


def load_states(path: PathLike) -> MemberStates | None:
    """Return the states of the members in a file; None for a file of one network.

    Errors      ModelFileError for a file that is damaged, or no file of this package
    """
    found = load(path)
    if _COUNT not in found.texts:
        return None
    told, count = found.texts[_COUNT], 0
    if told.isdecimal() and told.isascii() and len(told) < 6:
        count = int(told)
    states = {}
    for name, tensor in found.tensors.items():
        number = name.removeprefix(_PREFIX)
        fits = name.startswith(_PREFIX) and number.isdecimal() and str(int(number)) == number
        if not fits or int(number) >= count or tensor.dtype != np.uint8 or tensor.ndim != 1:
            raise ModelFileError(f"{shown(path)} is damaged: {name[:60]!a} is the state of no member")
        states[int(number)] = tensor.tobytes()
    if not 1 < count <= MOST or set(found.texts) != {_COUNT}:
        raise ModelFileError(f"{shown(path)} is damaged: it is of no number of members")
    return MemberStates(count, states)


def states_of(count: int, file: Checkpoint | None, resume: PathLike | None) -> MemberStates:
    """Return the states to begin with: none, or those of a file.

    count       members of the plan
    Errors      DataError for a file of one network, or of another number; ModelFileError
    """
    if resume is None:
        return MemberStates(count, {}, file)
    found = load_states(resume)
    if found is None:
        raise DataError(f"resume: {shown(resume)} is of one network; say members=1")
    if found.count != count:
        raise DataError(f"resume: {shown(resume)} is of {found.count} networks, not {count}; say members")
    found.file = file
    return found
