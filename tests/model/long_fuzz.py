"""Load damaged, edited and hostile model files by the million: each loads whole or is refused in one line.

    python tests/model/long_fuzz.py --mutants 10000000
    python tests/model/long_fuzz.py --flips              every wrong value of every byte of 20 files
    python tests/model/long_fuzz.py --meanings 1000000   networks, tables and losses that do not go together

Mutants are made where the format has its joints: raw bytes, the header's tree and text (with a right
checksum), the JSON documents inside it, the tensors. With --meanings the files are sealed and their weights
fit: layers are spliced, sizes changed, losses and tables swapped, and what loads must predict: most in plain
NumPy, a --sample of them in every way, a tenth of those as native code. An audit hook
counts imports, opened files, started processes and the like, of which there must be none. The address space
is limited, so a file that makes the loader allocate is a failure too.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import watch
from meanings import donors_of, splice, try_out
from model_samples import body_of, framed, header_of, samples, sealed
from tally import Tally

from minicolumn.errors import MinicolumnError, ModelFileError
from minicolumn.estimators import MLPClassifier, MLPRegressor
from minicolumn.estimators.saved import restored
from minicolumn.model.artifact import artifact_from_bytes, artifact_to_bytes
from minicolumn.model.container import Container, decode, encode
from minicolumn.model.documents import pack, unpack
from minicolumn.model.model import Model
from minicolumn.nn.serialize import from_json

GOLDEN = Path(__file__).parent / "golden"
ESTIMATORS = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
SLOW = 1.0  # seconds of processor time that no load may take
HEADROOM = 64 * 1024**2  # bytes of address space beyond what the process has once everything is imported

VALUES: tuple[Any, ...] = (
    *(
        0,
        -1,
        1,
        2,
        3,
        255,
        2**31,
        2**32,
        2**53,
        2**63,
        2**64,
        -(2**63),
        10**30,
        0.0,
        -0.0,
        0.5,
        1.5,
        1e308,
        5e-324,
    ),
    *(
        True,
        False,
        None,
        "",
        "0",
        "relu",
        "dense",
        "os.system",
        "../../etc/passwd",
        "\0",
        "\ud800",
        "é",
        "x" * 300,
    ),
    *([], {}, [[]], [1], {"kind": "dense"}, {"": 0}, [None] * 50, float("nan"), float("inf")),
)
CHUNKS = (
    b"",
    b"\0",
    b"\xff" * 8,
    b"{",
    b"}",
    b'"',
    b"[" * 64,
    b"\\",
    b"\x80\x04",
    b"PK\3\4",
    b"NaN",
    b"1e999",
    b"\r\n",
)


class Mutator:
    """Makes files from good ones."""

    def __init__(self, seeds: list[bytes], seed: int) -> None:
        self.dice = random.Random(seed)
        self.seeds = seeds
        self.contents = {data: decode(data) for data in seeds}
        self.kinds: tuple[Callable[[bytes], bytes], ...] = (
            self.raw,
            self.header_tree,
            self.header_text,
            self.document_tree,
            self.document_tree,
            self.document_text,
            self.tensors,
        )

    def __call__(self) -> bytes:
        """Return the next mutant."""
        return self.dice.choice(self.kinds)(self.dice.choice(self.seeds))

    def raw(self, data: bytes) -> bytes:
        """Change bytes and nothing else."""
        out = bytearray(data)
        for _ in range(self.dice.randint(1, 4)):
            start = self.dice.randrange(len(out) + 1)
            end = min(len(out), start + self.dice.choice((0, 1, 1, 2, 8, 64)))
            out[start:end] = self._chunk(out)
        if self.dice.random() < 0.1:
            stated = self.dice.choice(
                (0, 1, len(out), len(out) - 8, 2**20 + 1, 2**31, 2**32, 2**63, 2**64 - 1)
            )
            out[:8] = stated.to_bytes(8, "little")
        return bytes(out)

    def _chunk(self, data: bytearray) -> bytes:
        kind = self.dice.randrange(3)
        if kind == 0:
            return self.dice.choice(CHUNKS)
        if kind == 1:
            return self.dice.randbytes(self.dice.choice((1, 1, 2, 8)))
        other = self.dice.choice((data, self.dice.choice(self.seeds)))
        start = self.dice.randrange(len(other) + 1)
        return bytes(other[start : start + self.dice.randrange(64)])

    def header_tree(self, data: bytes) -> bytes:
        """Change the header as a tree, with the right length and checksum."""
        header = header_of(data)
        for _ in range(self.dice.randint(1, 3)):
            self._change(header)
        body = body_of(data) + self.dice.choice((b"", b"", b"", b"\0" * 8))
        if not isinstance(header.get("__metadata__"), dict):
            return framed(json.dumps(header), body)
        return sealed(header, body)

    def header_text(self, data: bytes) -> bytes:
        """Change the header as text: duplicate keys, broken escapes, spaces."""
        text = data[8 : len(data) - len(body_of(data))].decode()
        return framed(self._scramble(text), body_of(data))

    def document_tree(self, data: bytes) -> bytes:
        """Change one of the JSON documents in the metadata as a tree."""
        documents, others = unpack(self.contents[data])
        name = self.dice.choice(list(documents))
        document = {"": json.loads(documents[name])}
        for _ in range(self.dice.randint(1, 3)):
            self._change(document)
        text = json.dumps(document.get(""))
        return self._packed(_container(documents, name, text, others), data)

    def document_text(self, data: bytes) -> bytes:
        """Change one of the JSON documents as text."""
        documents, others = unpack(self.contents[data])
        name = self.dice.choice(list(documents))
        text = self._scramble(documents[name])
        return self._packed(_container(documents, name, text, others), data)

    def tensors(self, data: bytes) -> bytes:
        """Rename, reshape, retype, drop or add weights, or leave out a document."""
        container = self.contents[data]
        tensors, texts = dict(container.tensors), dict(container.texts)
        for _ in range(self.dice.randint(1, 2)):
            name = self.dice.choice(list(tensors) or ["x"])
            array = tensors.pop(name, np.zeros(1, np.float32))
            self.dice.choice(self._tensor_changes(tensors, name, array))()
        if self.dice.random() < 0.1:
            texts.pop(self.dice.choice(list(texts)))
        return self._packed(Container(tensors, texts), data)

    def _tensor_changes(
        self, tensors: dict[str, Any], name: str, array: np.ndarray
    ) -> list[Callable[[], Any]]:
        other = self.dice.choice(list(tensors) or ["0.weight"])
        dtype = self.dice.choice((np.float64, np.float32, np.int64, np.uint32, np.bool_))
        return [
            lambda: None,  # the weight is dropped
            lambda: tensors.update({other: array}),
            lambda: tensors.update({name: array.astype(dtype)}),
            lambda: tensors.update({name: array.reshape(-1)}),
            lambda: tensors.update({name: array.T}),
            lambda: tensors.update({name: array[:0]}),
            lambda: tensors.update({name: array, name + ".x": array}),
            lambda: tensors.update({name: np.repeat(array, 2, axis=-1)}),
            lambda: tensors.update({name: array * array.dtype.type(3)}),
        ]

    def _packed(self, container: Container, data: bytes) -> bytes:
        try:
            return b"".join(encode(container.tensors, container.texts))
        except (
            MinicolumnError
        ):  # the writer refuses it; hand the reader the original with the text swapped in
            header = header_of(data)
            header["__metadata__"] |= container.texts
            return sealed(header, body_of(data))

    def _change(self, tree: Any) -> None:
        """Change one place of a tree of dicts and lists."""
        places = list(_places(tree))
        if not places:
            return
        node, key = self.dice.choice(places)
        kind = self.dice.randrange(6)
        if kind <= 2:
            node[key] = copy.deepcopy(self.dice.choice(VALUES))  # a list of VALUES must not grow
        elif kind == 3:
            del node[key]
        elif kind == 4:
            donor, place = self.dice.choice(places)
            node[key] = json.loads(json.dumps(donor[place]))
        elif isinstance(node, dict):
            node[self.dice.choice(("", "kind", "extra", "__class__", "__reduce__", f"{key}s"))] = node.pop(
                key
            )
        else:
            node.insert(key, node[key])

    def _scramble(self, text: str) -> str:
        for _ in range(self.dice.randint(1, 3)):
            start = self.dice.randrange(len(text) + 1)
            end = min(len(text), start + self.dice.choice((0, 0, 1, 8)))
            source = self.dice.randrange(len(text) + 1)
            copied = text[source : source + self.dice.randrange(1, 60)]
            added = self.dice.choice(
                (copied, self.dice.choice(CHUNKS).decode("latin-1"), str(self.dice.choice(VALUES)))
            )
            text = text[:start] + added + text[end:]
        return text


def _container(documents: dict[str, str], name: str, text: str, others: dict[str, np.ndarray]) -> Container:
    """Return a file's content with another document; half a character in it becomes bytes that are none."""
    tensors, texts = pack({**documents, name: ""}, others)
    if name in texts:
        return Container(tensors, {**texts, name: text})
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return Container({**tensors, f"json:{name}": data}, texts)


def _places(tree: Any) -> Any:
    """Yield every (container, key) of a tree."""
    stack = [tree]
    while stack:
        node = stack.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            yield node, key
            if isinstance(node[key], (dict, list)):
                stack.append(node[key])


def judge(data: bytes, tally: Tally) -> None:
    """Load one file and record what came of it."""
    tally.mutants += 1
    started, events = time.process_time(), []
    try:
        with watch.watching() as events:
            artifact = artifact_from_bytes(data)
            Model.from_artifact(artifact, "it")
        _check_estimator(artifact)
    except ModelFileError as error:
        if not str(error).isprintable() or len(str(error)) > 1000:
            tally.fail(f"not one short line: {str(error)!r:.300}", data)
    except Exception as error:
        tally.fail(f"{type(error).__name__}: {error!s:.300}", data)
    else:
        tally.loaded += 1
        try:
            _use(artifact)
        except Exception as error:
            tally.fail(f"loaded, but unusable: {type(error).__name__}: {error!s:.300}", data)
    seconds = time.process_time() - started
    tally.slowest = max(tally.slowest, seconds)
    if seconds > SLOW:
        tally.fail(f"took {seconds:.1f} s", data)
    if events:
        tally.fail(f"events: {events[:5]}", data)


def _check_estimator(artifact: Any) -> None:
    """Make the estimator again where a file says that it holds one; ModelFileError where it does not."""
    kind = ESTIMATORS.get(str(artifact.training.get("estimator")))
    if kind is not None and "fitted" in artifact.training:
        restored(kind, artifact)


def _use(artifact: Any) -> None:
    """Save, load and run an accepted artifact: whatever loads is a valid model."""
    again = artifact_from_bytes(artifact_to_bytes(artifact))
    if again.training != artifact.training or again.network != artifact.network:
        raise AssertionError("saving and loading changed it")
    net = from_json(artifact.network)
    expected = net.output_shape(artifact.input_shape)
    if math.prod(artifact.input_shape) * math.prod(expected) < 10**6:
        with np.errstate(all="ignore"):
            out = net.apply(artifact.params, np.zeros((1, *artifact.input_shape), np.float32))
        if out.shape != (1, *expected):
            raise AssertionError(f"gives {out.shape}, expected {(1, *expected)}")


def campaign(mutants: int, seed: int) -> Tally:
    """Load ``mutants`` mutants of the samples, with the address space limited."""
    golden = [path.read_bytes() for path in sorted(GOLDEN.glob("*.safetensors"))]
    mutator, tally = Mutator([*(artifact_to_bytes(a) for a in samples().values()), *golden], seed), Tally()
    for data in mutator.seeds:
        judge(data, tally)
    limit_memory(HEADROOM)
    while tally.mutants < mutants and len(tally.failures) < 100:
        judge(mutator(), tally)
    return tally


def limit_memory(headroom: int) -> None:
    """Let the process take ``headroom`` more bytes of address space than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + headroom
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def flips() -> Tally:
    """Load 20 files with every byte set to each of its 255 wrong values."""
    tally, seeds = Tally(), [artifact_to_bytes(a) for a in samples().values()]
    small = [data for data in seeds if len(data) < 2000]
    while len(seeds) < 20:  # more files: the same documents with other weights
        container = decode(small[len(seeds) % len(small)])
        tensors = {name: array + len(seeds) for name, array in container.tensors.items()}
        seeds.append(b"".join(encode(tensors, container.texts)))
    for data in map(bytearray, seeds):
        for place in range(len(data)):
            for flip in range(1, 256):
                data[place] ^= flip
                tally.mutants += 1
                try:
                    decode(data)
                    tally.fail(f"byte {place} ^ {flip} went unnoticed", bytes(data))
                except ModelFileError:
                    pass
                data[place] ^= flip
    return tally


def meanings(cases: int, seed: int, first: int, sample: float, count_every: int = 0) -> Tally:
    """Load and use ``cases`` files whose parts are swapped; case k depends on the seed and on k alone."""
    donors, tally = donors_of(list(samples().values())), Tally()
    for case in range(first, first + cases):
        dice = random.Random(f"{seed} {case}")
        data = splice(donors, dice)
        if data is not None:
            try_out(data, dice, tally, f"case {case}", sample)
        if count_every and (case + 1) % count_every == 0:
            print(f"up to case {case}: {tally.loaded} loaded, {len(tally.failures)} failures", flush=True)
        if len(tally.failures) >= 100:
            break
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description="load damaged, edited and hostile model files")
    parser.add_argument("--mutants", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flips", action="store_true")
    parser.add_argument("--meanings", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the first case of --meanings: to go on from")
    parser.add_argument("--sample", type=float, default=0.02, help="share of --meanings used in every way")
    parser.add_argument("--count", type=int, default=0, help="print a line after so many of --meanings")
    parser.add_argument("--keep", type=Path, help="a folder for the files that failed")
    options = parser.parse_args()
    watch.install()
    started = time.perf_counter()
    if options.meanings:
        tally = meanings(options.meanings, options.seed, options.first, options.sample, options.count)
    else:
        tally = flips() if options.flips else campaign(options.mutants, options.seed)
    seconds = time.perf_counter() - started
    for number, (line, data) in enumerate(zip(tally.failures, tally.examples, strict=True)):
        print(line)
        if options.keep is not None:
            (options.keep / f"{number}.safetensors").write_bytes(data)
    print(
        f"{tally.mutants} mutants, {tally.loaded} loaded, slowest {tally.slowest:.3f} s, "
        f"{len(tally.failures)} failures, {seconds:.1f} s"
    )
    return 1 if tally.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
