"""The layer interface: a frozen record that declares its shapes and is a pure function of its parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, ShapeError, did_you_mean
from minicolumn.nn.init import Initializer, initializer_by_name
from minicolumn.nn.roles import ROLES, Role, Roles, role_of
from minicolumn.registry import Record

Array = np.ndarray
Shape = tuple[int, ...]
Params = dict[str, Any]
Function = Callable[[Array], Array]


@dataclasses.dataclass(frozen=True, slots=True)
class Param:
    """A parameter that a layer asks for.

    shape
    init        the initializer that fills it, or its name
    role        what it is for, one of `ROLES`: weight decay, penalties and constraints go by it; None takes
                what the parameter's name stands for, a weight if it stands for none

    >>> Param((3, 2), "he_normal").shape
    (3, 2)
    """

    shape: Shape
    init: str | Initializer = "zeros"
    role: Role | None = None

    def __post_init__(self) -> None:
        if self.role is not None and self.role not in ROLES:
            hint = did_you_mean(str(self.role), ROLES) or f"; there are {', '.join(ROLES)}"
            raise DataError(f"Param: unknown role {self.role!r}{hint}")


class Layer(Record):
    """One stage of a network. Subclasses are frozen dataclasses and are not subclassed again.

    A layer holds its settings and nothing else: parameters come in as an argument, so the same record can
    be used for any number of trainings. Shapes are written without the batch axis.

    live        names of settings that may also be traced scalars, where they are not 0: a training then
                changes them and compiles nothing
    """

    live: ClassVar[tuple[str, ...]] = ()

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one row of the output.

        input_shape     shape of one row of the input, without the batch axis
        Errors          ShapeError if the layer cannot take that input
        """
        raise NotImplementedError(f"{type(self).__name__} lacks output_shape")

    def declare(self, input_shape: Shape) -> Params:
        """Return the parameters that this layer needs: a nested dict of ``Param``, empty by default."""
        self.output_shape(input_shape)
        return {}

    def roles(self, input_shape: Shape) -> Roles:
        """Return the role of each parameter, by its path in the tree.

        >>> from minicolumn.nn import Dense
        >>> Dense(2).roles((3,))
        {'weight': 'weight', 'bias': 'bias'}
        """
        declared = named_params(self.declare(input_shape))
        return {path: param.role or role_of(path) for path, param in declared}

    def init(self, seed: int, input_shape: Shape, dtype: Any = np.float32) -> Params:
        """Draw the first parameters.

        Each parameter has its own random stream, found by its path, so adding a layer behind the others
        does not change what they draw.

        seed            an integer; the draws come from its stream "init"
        input_shape     shape of one row of the input, without the batch axis
        Returns         nested dict of arrays, in the structure of ``declare``
        Errors          ShapeError if the shapes do not fit
        """
        return _draw(self.declare(input_shape), "", random.stream(seed, "init"), dtype)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        """Return the outputs for a batch: plain NumPy, so it can be traced.

        params          what ``init`` gave, or what training made of it
        x               [batch, *input_shape]
        key             uint32[2], needed while training by layers that draw random numbers
        training        whether this is a training step
        Returns         [batch, *output_shape]
        """
        raise NotImplementedError(f"{type(self).__name__} lacks apply")

    def apply_training(self, params: Params, x: Array, key: Array | None = None) -> tuple[Array, Params]:
        """Return the outputs of a training step, and the parameters with what the layer saw of the batch.

        What a layer notes down are parameters that are statistics by their role, such as ``mean`` and
        ``variance``, which no gradient, penalty or optimizer moves. All others come back as they went in.

        params, x, key  as for ``apply``
        Returns         [batch, *output_shape], and a tree like ``params``
        """
        return self.apply(params, x, key=key, training=True), params

    def member_outputs(
        self, params: Params, x: Array, *, key: Array | None = None, training: bool = False
    ) -> tuple[Array, Params]:
        """Return the outputs that a training's loss is computed of, and the parameters as a step leaves them.

        They are those of ``apply_training``, or of ``apply`` where training is off; of a network of which
        ``by_member`` holds they are those of each member, which are not averaged.

        params, x, key, training    as for ``apply``
        Returns     [batch, *output_shape] or [batch, members, *output_shape], and a tree like ``params``
        """
        if training and self.observes:
            return self.apply_training(params, x, key)
        return self.apply(params, x, key=key, training=training), params

    @property
    def by_member(self) -> bool:
        """Whether the outputs are the mean of members, whose losses a training step averages instead."""
        return False

    @property
    def inside(self) -> tuple[tuple[str, Layer], ...]:
        """The layers inside this one, each by its name in the tree of parameters: "" where that is theirs."""
        return ()

    @property
    def draws(self) -> bool:
        """Whether a training step may draw random numbers: only then is a key derived for this layer."""
        return True

    @property
    def observes(self) -> bool:
        """Whether a training step notes down what it saw: only then is ``apply_training`` called."""
        return False

    @property
    def passes_gradient(self) -> bool:
        """Whether derivatives pass through: in front of a layer through which none pass, nothing learns."""
        return True

    # Static analysis, see `minicolumn.nn.extent` ------------------------------------------------------------

    @property
    def operations(self) -> int:
        """About how many operations of a graph this layer takes, without those of the layers inside."""
        return 4

    def moved(self, columns: Array) -> Array:
        """Return the input column that each output number repeats; NaN for what is computed, by default all.

        columns     the same of the input, float32 [1, *input_shape]
        Returns     float32 [1, *output_shape]
        """
        return computed(self.output_shape(columns.shape[1:]))

    @property
    def looks_up(self) -> bool:
        """Whether inputs are codes that are looked up: those out of range are refused by name."""
        return type(self).lookups is not Layer.lookups

    def lookups(self, columns: Array) -> list[tuple[Array, int]]:
        """Return for each table that is looked up the columns of its codes, and how many codes it has."""
        return []

    def __repr__(self) -> str:
        """Return the recipe: the call that makes this layer, without what is left at its default."""
        return f"{type(self).__name__}({', '.join(_arguments(self))})"


class Deterministic(Layer):
    """A layer that draws no random numbers."""

    @property
    def draws(self) -> bool:
        return False


def computed(shape: Shape) -> Array:
    """Return the columns of one row in which every number is computed: NaN, float32 [1, *shape]."""
    return np.full((1, *shape), np.nan, np.float32)


class Featurewise(Deterministic):
    """A layer that draws nothing and keeps the shape of its input, which needs an axis of features."""

    def output_shape(self, input_shape: Shape) -> Shape:
        feature_count(self, input_shape)
        return tuple(input_shape)


Visit = Callable[[Layer, Params, Array, "Array | None"], tuple[Array, Params]]


class Composite(Layer):
    """A layer made of layers: ``inside`` says of which, ``through`` how the input goes through them."""

    def through(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
        """Send a batch through the inner layers; return the outputs, and a tree like ``params``.

        visit       ``visit(layer, its params, its input, its key) -> (its output, its params)``
        """
        raise NotImplementedError(f"{type(self).__name__} lacks through")

    @property
    def operations(self) -> int:
        return 1

    def moved_through(self, visit: Visit, params: Any, columns: Array) -> Array:
        """Return `moved`, found by visiting the inner layers; by default all is taken for computed."""
        return self.through(visit, params, np.full_like(columns, np.nan), None)[0]

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        def visit(layer: Layer, own: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
            return layer.apply(own, x, key=key, training=training), own

        return self.through(visit, params, x, key if training else None)[0]

    def apply_training(self, params: Params, x: Array, key: Array | None = None) -> tuple[Array, Params]:
        def visit(layer: Layer, own: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
            return layer.apply_training(own, x, key)

        return self.through(visit, params, x, key)

    @property
    def draws(self) -> bool:
        return any(layer.draws for _, layer in self.inside)

    @property
    def observes(self) -> bool:
        return any(layer.observes for _, layer in self.inside)

    @property
    def passes_gradient(self) -> bool:
        return all(layer.passes_gradient for _, layer in self.inside)


def own_key(layer: Layer, key: Array | None, place: int) -> Array | None:
    """Return the key of the layer at a place of another one: ``fold_in(key, place)`` where it draws."""
    return random.fold_in(key, place) if key is not None and layer.draws else None


def needed_key(layer: Layer, key: Array | None) -> Array:
    """Return the key, which a layer that draws cannot train without."""
    if key is None:
        raise DataError(
            f"{type(layer).__name__}: training needs a random key; "
            "pass key=minicolumn.random.stream(seed, 'dropout')"
        )
    return key


def feature_count(layer: Layer, input_shape: Shape) -> int:
    """Return the length of the last axis; ShapeError where there is none."""
    if not input_shape:
        raise ShapeError(f"{type(layer).__name__}: inputs have shape [batch], expected [batch, features]")
    return input_shape[-1]


def named_layers(layer: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield a layer and all layers inside it, each with its path in the tree of parameters."""
    yield path, layer
    for name, part in layer.inside:
        yield from named_layers(part, f"{path}.{name}".strip("."))


def named_params(declared: Params, path: str = "") -> Iterator[tuple[str, Param]]:
    """Yield every declared parameter with its path, as `tree.named_leaves` names them."""
    for name, part in declared.items():
        below = f"{path}.{name}" if path else name
        if isinstance(part, Param):
            yield below, part
        else:
            yield from named_params(part, below)


def _draw(declared: Any, path: str, key: Array, dtype: Any) -> Any:
    """Fill a tree of declarations, each from the stream of its path."""
    if isinstance(declared, Param):
        draw = initializer_by_name(declared.init) if isinstance(declared.init, str) else declared.init
        return draw(random.fold_in_name(key, path), declared.shape, dtype)
    return {
        name: _draw(part, f"{path}.{name}" if path else name, key, dtype) for name, part in declared.items()
    }


def _arguments(layer: Layer) -> list[str]:
    """Return a layer's arguments as text: required ones by position, changed ones by name."""
    found = []
    for field in dataclasses.fields(layer):  # type: ignore[arg-type]
        value = getattr(layer, field.name)
        if field.default is dataclasses.MISSING:
            found.append(_show(value))
        elif value != field.default:
            found.append(f"{field.name}={_show(value)}")
    return found


def _show(value: Any) -> str:
    """Return a setting as text; a function by its name."""
    return getattr(value, "__name__", None) or repr(value)
