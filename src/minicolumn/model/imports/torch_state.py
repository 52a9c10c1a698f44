"""PyTorch import: a `state_dict` as safetensors; layers from the names and shapes of its arrays.

    0.weight [out, in], 0.bias          Linear
    1.weight [n], 1.bias, 1.running_mean, 1.running_var     BatchNorm1d
    2.weight [n], 2.bias                LayerNorm
    3.weight [1]                        PReLU

A `state_dict` holds neither activations nor the order of modules. Modules of `nn.Sequential` are numbered,
and a number that is left out is where an activation (or a dropout) stands; others are put in the order in
which their shapes fit, if there is but one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ModelFileError, did_you_mean, one_line
from minicolumn.model import strict_json
from minicolumn.model.files import PathLike, read_whole, shown
from minicolumn.model.imports.chain import LONGEST_LINE, Chain
from minicolumn.model.imports.foreign_tensors import read_tensors, read_texts
from minicolumn.model.model import Model
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.losses import Loss, as_loss

Array = np.ndarray
MAX_BYTES = 2 * 1024**3
MAX_TRIES = 10_000
MAX_TO_ORDER = 200  # modules whose order is looked for; a try takes as long as there are of them, squared
_BESIDE = ("num_batches_tracked",)
# Under this name the metadata of our own exports says the order of the layers, the loss, and eps of norms.
ORDER = "layers"
EPS = 1e-5


@dataclass(frozen=True, eq=False)
class Module:
    """The arrays of one module, by their short names."""

    name: str
    arrays: dict[str, Array]
    eps: float = EPS

    @property
    def kind(self) -> str:
        """The class in `torch.nn`, by the arrays that it has; ModelFileError for one that is not known."""
        have, weight = set(self.arrays), self.arrays.get("weight")
        rank = None if weight is None else weight.ndim
        if rank == 2 and have <= {"weight", "bias"}:
            return "Linear"
        if {"running_mean", "running_var"} <= have and rank in (1, None):
            return "BatchNorm1d"
        if rank == 1 and have == {"weight", "bias"}:
            return "LayerNorm"
        if rank == 1 and have == {"weight"} and weight is not None and weight.size == 1:
            return "PReLU"
        shapes = ", ".join(
            f"{name[:40]} {list(array.shape)}" for name, array in sorted(self.arrays.items())[:6]
        )
        raise ModelFileError(f"has a module {self.name[:60]!a} that is no layer here: {shapes}")

    @property
    def fan(self) -> tuple[int | None, int | None]:
        """Features in and out; None where any number goes through."""
        if self.kind == "Linear":
            out, fan_in = self.arrays["weight"].shape
            return fan_in, out
        if self.kind == "PReLU":
            return None, None
        n = self.arrays["running_mean" if self.kind == "BatchNorm1d" else "weight"].size
        return n, n

    def appended(self, chain: Chain) -> Chain:
        """Return a chain with this layer."""
        a = self.arrays
        if self.kind == "Linear":
            return chain.dense(a["weight"].T.astype(np.float64), a.get("bias"))
        if self.kind == "BatchNorm1d":
            return chain.batch_norm(
                a["running_mean"], a["running_var"], a.get("weight"), a.get("bias"), self.eps
            )
        if self.kind == "PReLU":
            return chain.prelu(a["weight"])
        return chain.layer_norm(a["weight"], a["bias"], self.eps)


def from_torch(
    path: PathLike, *, activation: str | None = None, layers: Sequence[str] | None = None,
    loss: str | Loss | None = None,
) -> Model:  # fmt: skip
    """Return the network of a PyTorch `state_dict` in a safetensors file as a model.

    path        of the file, as ``safetensors.torch.save_file(module.state_dict(), path)`` writes it
    activation  between the layers, such as "relu", which the file does not say: where a number of
                `nn.Sequential` is left out, else behind each hidden linear layer and its norm
    layers      the whole forward pass instead, in order: names of modules and of activations, such as
                ["fc1", "relu", "fc2"]
    loss        says what the outputs mean, such as "softmax_cross_entropy" for raw scores of classes, of
                which predictions are then the softmax; by default numbers

    A file that `Model.export("torch")` wrote says all this itself.

    Errors      ModelFileError, in one line, for a file or module that is not known, and where the order of
                the modules does not follow from names and shapes; DataError for an unknown activation or loss
    Differs     `torch.load` unpickles; a pickle is never opened here. Norms are taken with eps = 1e-5, the
                default there, which the file does not hold
    """
    said = None if loss is None else as_loss(loss)
    _check_names(activation, layers)
    data = read_whole(path, MAX_BYTES)
    try:
        modules = modules_of(read_tensors(data))
        if activation is None and layers is None and ORDER in (texts := read_texts(data)):
            layers, modules, known = _told(texts[ORDER], modules)
            said = said or known
        with np.errstate(all="ignore"):
            steps = _said(modules, layers) if layers is not None else _found(modules, activation)
            chain = Chain(_input_shape(steps))
            for step in steps:
                chain = chain.activation(step) if isinstance(step, str) else step.appended(chain)
            double = all(a.dtype == np.float64 for m in modules.values() for a in m.arrays.values())
            return chain.model({"format": "torch"}, said, dtype=np.float64 if double else np.float32)
    except ModelFileError as error:
        raise ModelFileError(f"{shown(path)} {_hint(one_line(error, LONGEST_LINE))}") from None


def modules_of(tensors: dict[str, Array]) -> dict[str, Module]:
    """Return the modules by name, from arrays by their names in a `state_dict`."""
    grouped: dict[str, dict[str, Array]] = {}
    for name, array in tensors.items():
        owner, _, short = name.rpartition(".")
        if short not in _BESIDE:
            if array.dtype.kind != "f":
                raise ModelFileError(f"has {name[:60]!a} as {array.dtype}, expected floats")
            grouped.setdefault(owner, {})[short] = array
    if not grouped:
        raise ModelFileError("holds no weights")
    return {name: Module(name, arrays) for name, arrays in grouped.items()}


def _told(
    text: str, modules: dict[str, Module]
) -> tuple[list[str], dict[str, Module], Loss | None]:  # fmt: skip
    """Return what an export of ours says of itself: the layers, the modules with their eps, the loss."""
    told = strict_json.parse(text, "is damaged: its metadata")
    if not isinstance(told, dict) or set(told) != {"layers", "loss", "eps"}:
        raise ModelFileError("is damaged: its metadata does not say layers, loss and eps")
    layers, eps, loss = told["layers"], told["eps"], told["loss"]
    if not isinstance(layers, list) or not all(isinstance(name, str) for name in layers):
        raise ModelFileError("is damaged: its metadata has layers that are no names")
    if not isinstance(eps, dict) or not all(
        name in modules and isinstance(x, float) and x > 0 for name, x in eps.items()
    ):
        raise ModelFileError("is damaged: its metadata has an eps that cannot be")
    found = {name: replace(module, eps=eps.get(name, EPS)) for name, module in modules.items()}
    try:
        _said(found, layers)
        return layers, found, None if loss is None else Loss.from_json(loss)
    except (DataError, ModelFileError) as error:
        raise ModelFileError(f"is damaged: its metadata: {one_line(error, LONGEST_LINE)}") from None


def _check_names(activation: str | None, layers: Sequence[str] | None) -> None:
    if activation is not None and layers is not None:
        raise DataError("from_torch: give activation or layers, not both; layers name the activations")
    if layers is not None and (isinstance(layers, str) or not all(isinstance(name, str) for name in layers)):
        raise DataError(f"from_torch: layers: expected names in a list, got {layers!r:.60}")
    if activation is not None:
        activation_by_name(activation)


def _hint(said: str) -> str:
    if "PyTorch checkpoint" in said or "pickle" in said:
        return (
            f"{said}: it may run code when opened, so it is not; write it anew with "
            "safetensors.torch.save_file(module.state_dict(), path)"
        )
    return said


def _said(modules: dict[str, Module], layers: Sequence[str]) -> list[Module | str]:
    """Return the steps of a forward pass that was said."""
    steps: list[Module | str] = []
    for name in layers:
        if name in modules:
            steps.append(modules[name])
            continue
        try:
            activation_by_name(name)
        except DataError:
            near = did_you_mean(name, modules) or f"; modules are {', '.join(sorted(modules))[:200]}"
            raise DataError(
                f"from_torch: layers: {name!r:.60} is no module and no activation{near}"
            ) from None
        steps.append(name)
    if left := sorted(set(modules) - set(layers)):
        raise ModelFileError(f"has the module {left[0][:60]!a}, which layers do not name")
    return steps


def _found(modules: dict[str, Module], activation: str | None) -> list[Module | str]:
    """Return the steps that names and shapes tell, with an activation where one must be."""
    ordered = _ordered(list(modules.values()))
    linear = [place for place, module in enumerate(ordered) if module.kind == "Linear"]
    if len(linear) < 2:
        return [*ordered]
    gaps = _gaps(ordered) or _before_the_next(ordered)
    slopes = {place for place in gaps if any(m.kind == "PReLU" for m in ordered[place + 1 : place + 2])}
    if activation is None and gaps - slopes:
        raise ModelFileError(
            'does not say which activations the network has; say activation="relu" (--activation relu), or '
            "the whole order as layers"
        )
    steps: list[Module | str] = []
    for place, module in enumerate(ordered):
        steps.append(module)
        if place in gaps - slopes and activation is not None:
            steps.append(activation)
    return steps


def _gaps(modules: list[Module]) -> set[int]:
    """Return behind which modules a number of `nn.Sequential` is left out; none without numbers."""
    numbers = [_number(module.name) for module in modules]
    if any(number is None for number in numbers):
        return set()
    after = itertools.pairwise(numbers)
    return {place for place, (a, b) in enumerate(after) if a is not None and b is not None and b > a + 1}


def _before_the_next(modules: list[Module]) -> set[int]:
    """Return the places in front of each linear layer but the first."""
    return {place - 1 for place, module in enumerate(modules) if module.kind == "Linear" and place}


def _number(name: str) -> int | None:
    last = name.rpartition(".")[2]
    return int(last) if re.fullmatch(r"[0-9]{1,6}", last) else None


def _ordered(modules: list[Module]) -> list[Module]:
    """Return modules in the order of the forward pass."""
    owners = {module.name.rpartition(".")[0] for module in modules}
    if len(owners) == 1 and all(_number(module.name) is not None for module in modules):
        return sorted(modules, key=lambda module: _number(module.name) or 0)
    natural = sorted(modules, key=lambda module: _natural(module.name))
    plain = all(module.kind == "Linear" for module in modules)
    if plain and all(re.search(r"[0-9]", module.name) for module in modules) and _fit(natural):
        return natural
    orders = list(_orders(natural))
    if len(orders) != 1:
        names = ", ".join(module.name[:40] for module in natural[:12])
        several = "in more than one order" if orders else "in no order"
        raise ModelFileError(
            f'has modules that fit {several} ({names}); say it as layers, such as ["fc1", "relu", "fc2"]'
        )
    return orders[0]


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names by their size."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"([0-9]{1,9})", name)]


def _fit(modules: Sequence[Module]) -> bool:
    width: int | None = None
    for module in modules:
        fan_in, out = module.fan
        if None not in (width, fan_in) and width != fan_in:
            return False
        width = out if out is not None else width
    return True


def _orders(modules: list[Module]) -> Iterator[list[Module]]:
    """Yield the first two orders in which the modules fit each other; ModelFileError after too many tries.

    A norm of as many features as its neighbours fits in several places, so it makes the order ambiguous.
    """
    if len(modules) > MAX_TO_ORDER:
        raise ModelFileError(f"has {len(modules):,} modules, too many to find their order; say it as layers")
    fans = [module.fan for module in modules]
    tries, found = 0, 0
    stack: list[tuple[list[int], int | None]] = [([], None)]
    while stack and found < 2:
        taken, width = stack.pop()
        tries += 1
        if tries > MAX_TRIES:
            raise ModelFileError("has too many modules to find their order; say it as layers")
        if len(taken) == len(modules):
            found += 1
            yield [modules[place] for place in taken]
            continue
        for place, (fan_in, out) in enumerate(fans):
            if place not in taken and (width is None or fan_in is None or fan_in == width):
                stack.append(([*taken, place], width if out is None else out))


def _input_shape(steps: Sequence[Any]) -> tuple[int, ...]:
    for step in steps:
        if isinstance(step, Module) and step.fan[0] is not None:
            return (step.fan[0],)
    raise ModelFileError("holds no layer that says how many features the input has")
