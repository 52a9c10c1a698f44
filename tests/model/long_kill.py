"""Kill a process that saves a model over and over, at random instants, and look at what it left.

    python tests/model/long_kill.py --kills 100000

After each kill the file must open, and hold the last acknowledged step or the one after it. ``--control``
saves by `open(path, "wb")` instead and shows that the test sees what it looks for. Every sync takes a few
milliseconds more than it has to, as on a slow disk: in memory, as `/tmp` is on some machines, it takes none,
and then hardly a kill strikes between a temporary file's creation and its rename.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import struct
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from model_samples import artifact_of, number_of, numbered

from minicolumn.errors import MinicolumnError
from minicolumn.model.artifact import Artifact, artifact_to_bytes, load_artifact, save_artifact
from minicolumn.nn import Dense, Sequential

Save = Callable[[Artifact, Path], None]
ACK = struct.Struct("<q")  # the step that a saver acknowledges
SYNC = 0.003  # seconds that a saver's sync takes at least: about what the rest of a save takes


@dataclass
class Tally:
    """What a campaign of kills found."""

    kills: int = 0
    saves: int = 0
    inside: int = (
        0  # kills that left a temporary file behind: they struck between its creation and the rename
    )
    failures: list[str] = field(default_factory=list)


def plain_save(artifact: Artifact, path: Path) -> None:
    """Save the way most libraries do."""
    with open(path, "wb") as stream:
        stream.write(artifact_to_bytes(artifact))


def campaign(folder: Path, kills: int, seed: int, save: Save = save_artifact) -> Tally:
    """Kill ``kills`` savers of one file and tally what they left."""
    path, dice, tally = folder / "m.safetensors", random.Random(seed), Tally()
    models = [
        artifact_of(Sequential(Dense(units), Dense(1)), (64,)) for units in (8, 1024)
    ]  # 4 KB and 530 KB
    save(numbered(models[0], 0), path)
    acknowledged, seconds = _watch_one(models, path, save)
    for _ in range(kills):
        acks = _kill_one(models, path, acknowledged + 1, dice.uniform(0, 2.5 * seconds), save)
        tally.kills += 1
        tally.saves += len(acks)
        tally.inside += any(name.endswith(".tmp") for name in os.listdir(folder))
        acknowledged = _check(path, acks[-1] if acks else acknowledged, tally)
        if tally.failures and save is plain_save:
            save(numbered(models[0], acknowledged), path)
    save(numbered(models[0], acknowledged), path)
    if left := sorted(set(os.listdir(folder)) - {path.name}):
        tally.failures.append(f"left behind after the last save: {left}")
    return tally


def _watch_one(models: list[Artifact], path: Path, save: Save) -> tuple[int, float]:
    """Let a saver save ten times; return the last step it acknowledged and the seconds of a save.

    Measured in a child, where a save takes longer: the child copies each page of its parent that it touches.
    """
    child, acks = _start(models, path, 1, save)
    started = time.perf_counter()
    for step in range(1, 11):
        assert os.read(acks, ACK.size) == ACK.pack(step)
    seconds = (time.perf_counter() - started) / 10
    return max(_kill(child, acks), default=10), seconds


def _kill_one(models: list[Artifact], path: Path, step: int, delay: float, save: Save) -> list[int]:
    """Start a saver, kill it after a while, and return the steps that it acknowledged."""
    child, acks = _start(models, path, step, save)
    time.sleep(delay)
    return _kill(child, acks)


def _start(models: list[Artifact], path: Path, step: int, save: Save) -> tuple[int, int]:
    """Return a saver that has come to its first save, and the pipe where it acknowledges steps."""
    acks, pipe = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 and later warn of a fork beside threads, here those that NumPy's BLAS holds.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _save_for_ever(models, path, step, pipe, save)
    os.close(pipe)
    assert os.read(acks, ACK.size) == ACK.pack(step - 1)
    return child, acks


def _kill(child: int, acks: int) -> list[int]:
    """Kill a saver and return the steps that it acknowledged since anybody looked."""
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with open(acks, "rb") as stream:
        steps = [step for (step,) in ACK.iter_unpack(stream.read())]
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the saver ended by itself, with status {status}")
    return steps


def _save_for_ever(models: list[Artifact], path: Path, step: int, pipe: int, save: Save) -> None:
    try:
        os.fsync = _slowly(os.fsync)
        os.write(pipe, ACK.pack(step - 1))
        while True:
            save(numbered(models[step % 2], step), path)
            os.write(pipe, ACK.pack(step))
            step += 1
    finally:
        os._exit(1)


def _slowly(sync: Callable[[int], None]) -> Callable[[int], None]:
    def call(handle: int) -> None:
        sync(handle)
        time.sleep(SYNC)

    return call


def _check(path: Path, acknowledged: int, tally: Tally) -> int:
    """Load what the kill left; return the step it holds."""
    try:
        found = number_of(load_artifact(path))
    except MinicolumnError as error:
        tally.failures.append(f"after step {acknowledged}: {error}")
        return acknowledged
    if found not in (acknowledged, acknowledged + 1):
        tally.failures.append(f"after step {acknowledged}: the file holds step {found}")
    return max(found, acknowledged)


def main() -> int:
    parser = argparse.ArgumentParser(description="kill savers at random instants")
    parser.add_argument("--kills", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to save; default: a new temporary folder")
    parser.add_argument("--control", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        started = time.perf_counter()
        tally = campaign(
            Path(folder), options.kills, options.seed, plain_save if options.control else save_artifact
        )
        seconds = time.perf_counter() - started
    for line in tally.failures[:20]:
        print(line)
    print(
        f"{tally.kills} kills, {tally.inside} with a temporary file left, {tally.saves} acknowledged saves, "
        f"{len(tally.failures)} failures, {seconds:.1f} s"
    )
    return 1 if tally.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
