"""How many parts to run a program in: what this process may use, and what turned out to be faster."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

TRIALS = 6  # calls at first, half of them with one part
ENOUGH = 3  # of them, where one choice is so much faster that chance has no say in it:
CLEAR = 1.5  # times as fast
AGAIN_CALLS = 10
AGAIN_SECONDS = 5.0
SHARE = 0.02  # of the time that trying again may cost
UNLUCKY = 1.5  # times as slow as the other: what a neighbour can do to all of the first trials
RISE = 0.2  # of the way to a longer time, for each call that took so long


def cores(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> int:
    """Return how many cores this process may use: by affinity, by its control groups, by OMP_NUM_THREADS.

    root         where /proc and /sys are found
    environment  where OMP_NUM_THREADS is looked up, which users and joblib's workers set
    """
    found = [_allowed(), *(math.ceil(quota) for quota in _quotas(root))]
    asked = re.match(r"\s*([0-9]{1,6})\s*(,|$)", environment.get("OMP_NUM_THREADS", ""))
    if asked and int(asked[1]):
        found.append(int(asked[1]))
    return max(1, min(found))


def _allowed() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Give the processor time that each control group around this process may take, in cores."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if not controllers:
            yield from _walk(root / "sys/fs/cgroup", path, ("cpu.max",))
        elif "cpu" in controllers.split(","):
            for mount in sorted({controllers, "cpu", "cpu,cpuacct"}):
                names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
                yield from _walk(root / "sys/fs/cgroup" / mount, path, names)


def _walk(mount: Path, path: str, names: tuple[str, ...]) -> Iterator[float]:
    """Give the quotas of a group and of those around it; inside a container its own is the topmost."""
    groups = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(groups) + 1):
        folder = mount.joinpath(*groups[:depth])
        numbers = [int(n) for name in names for n in _text(folder / name).split() if n.isdecimal()]
        if len(numbers) == 2 and numbers[1]:  # without a quota there is a word, or -1, instead of the first
            yield numbers[0] / numbers[1]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


class ThreadTuner(NamedTuple):
    """Chooses between one part and `most` by how long calls took, so that more is never slower for long.

        ThreadTuner(2).parts -> run -> tuner.after(seconds, steps, parts) -> the next tuner

    First both are tried in turn, and the best time of each counts, until it is clear which is better. Then
    that one is used. Its times are followed: down at once and up slowly, since whatever else happens on a
    computer only makes a call longer. So the other gets a chance as soon as it seems faster; and else now and
    then, when trying it costs no more than SHARE of the time since, or for the first time when it was not
    slower by half. No clock is read: the same times give the same choices.

    >>> tuner = ThreadTuner(4)
    >>> for _ in range(10):
    ...     tuner = tuner.after(seconds=1.0 if tuner.parts == 4 else 3.0)
    >>> tuner.parts
    4
    """

    most: int
    one: float = math.inf  # seconds a step with one part
    many: float = math.inf
    trials: int = 0
    calls: int = 0  # since the one not in use was tried
    seconds: float = 0.0
    again: int = 0  # how often it was
    steps: int = 1  # of the last call

    @property
    def parts(self) -> int:
        """Return how many parts to use for the next call."""
        many = self.is_many_better
        if not self.is_settled:
            many = self.trials % 2 == 0
        elif self._is_due:
            many = not many
        return self.most if many and self.most > 1 else 1

    def after(self, seconds: float, steps: int = 1, parts: int | None = None) -> ThreadTuner:
        """Return the tuner that knows of one more call; `parts` where it was not what was chosen."""
        chosen = self.parts
        used = chosen if parts is None else parts
        told = self._replace(**self._rates(used > 1, seconds / max(steps, 1)), steps=steps)
        if not self.is_settled:
            return told._replace(trials=self.trials + (used == chosen))
        if (used > 1) != self.is_many_better:
            return told._replace(calls=0, seconds=0.0, again=self.again + 1)
        return told._replace(calls=self.calls + 1, seconds=self.seconds + seconds)

    @property
    def is_settled(self) -> bool:
        """Return whether the first trials are over."""
        clear = max(self.many, self.one) > CLEAR * min(self.many, self.one)
        return self.trials >= (ENOUGH if clear else TRIALS)

    @property
    def is_many_better(self) -> bool:
        """Return whether many parts are faster than one, as far as is known."""
        return self.many < self.one

    @property
    def _is_due(self) -> bool:
        cost = abs(self.many - self.one) * self.steps
        late = self.calls >= AGAIN_CALLS or self.seconds >= AGAIN_SECONDS
        unlucky = not self.again and max(self.many, self.one) <= UNLUCKY * min(self.many, self.one)
        return late and (unlucky or cost <= SHARE * self.seconds)

    def _rates(self, many: bool, rate: float) -> dict[str, float]:
        """Return what is known now of the parts that were used."""
        name, known = ("many", self.many) if many else ("one", self.one)
        if not self.is_settled:
            return {name: min(known, rate)}
        # What is in use is followed, so that a hiccup changes little; what was tried again counts anew.
        in_use = many == self.is_many_better
        return {name: known + (rate - known) * RISE if in_use and rate > known else rate}


class ThreadTuners:
    """A tuner for each size of call: one iteration of a loop may want one thread, a hundred of them all.

    Calls are alike up to a factor of two in their steps. A size that was never seen begins with what a
    smaller one found out in favour of many, or a larger one in favour of one: it would be the same again.

    >>> tuners = ThreadTuners(4)
    >>> for _ in range(10):
    ...     tuners.note(100, seconds=1.0 if tuners.of(100).parts == 4 else 3.0)
    >>> tuners.of(300).parts
    4
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._by_size: dict[int, ThreadTuner] = {}

    def of(self, steps: int) -> ThreadTuner:
        """Return the tuner for calls of so many steps."""
        size = steps.bit_length()
        return self._by_size.get(size) or self._begun(size)

    def note(self, steps: int, seconds: float, parts: int | None = None) -> None:
        """Note that a call took so long; `parts` where it was not what the tuner chose."""
        self._by_size[steps.bit_length()] = self.of(steps).after(seconds, steps, parts)

    def _begun(self, size: int) -> ThreadTuner:
        for other in sorted(self._by_size, key=lambda other: abs(other - size)):
            known = self._by_size[other]
            if known.is_settled and known.is_many_better == (other < size):
                return known
        return ThreadTuner(self.most)
