"""Every setting of every registry: default, range, text, JSON, help, and where tuners look."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Annotated, Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn
from minicolumn.errors import DataError, ModelFileError
from minicolumn.nn.constrain import CONSTRAINTS
from minicolumn.nn.regularize import REGULARIZERS
from minicolumn.nn.serialize import LAYERS
from minicolumn.optim.catalogue import WRAPPERS
from minicolumn.registry import (
    REQUIRED,
    Boolean,
    Choice,
    Custom,
    Integer,
    Listed,
    Number,
    Part,
    Record,
    Registry,
    Setting,
    Text,
    settings_of,
)
from minicolumn.train.callbacks import CALLBACKS
from minicolumn.train.settings import Settings

REGISTRIES: dict[str, Registry[Any]] = {
    "activations": nn.ACTIVATIONS,
    "losses": nn.LOSSES,
    "initializers": nn.INITIALIZERS,
    "layers": LAYERS,
    "regularizers": REGULARIZERS,
    "constraints": CONSTRAINTS,
    "optimizers": mc.optim.OPTIMIZERS,
    "wrappers": WRAPPERS,
    "schedules": mc.optim.SCHEDULES,
    "callbacks": CALLBACKS,
    "metrics": mc.train.METRICS,
}
# What must be given beside a name, as text; entries that need more than settings have none.
NEEDED = {
    "dense": "units=3",
    "activation": "function=relu",
    "dropout": "rate=0.5",
    "alpha_dropout": "rate=0.5",
    "gaussian_dropout": "rate=0.5",
    "gaussian_noise": "stddev=0.5",
    "embedding": "levels=3,dim=2",
    "reshape": "shape=2+3",
    "members": "count=3",
    "batch_ensemble": "units=3",
    "member_dense": "units=3",
    "l1": "rate=0.1",
    "l2": "rate=0.1",
    "per_row": "penalty=(l2:rate=0.5)",
    "clipped": "optimizer=(adam:b1=0.8),norm=2",
    "layerwise": "optimizer=(adam:b1=0.8)",
    "averaged": "optimizer=(momentum:nesterov=true)",
}
COMPOSITE = {
    "sequential", "concatenate", "residual", "heads", "piecewise_linear", "column_embedding", "formulas",
    "ensemble", "piecewise_dense", "column_splines", "frozen",
}  # fmt: skip
ENTRIES = [
    (kind, name) for kind, registry in REGISTRIES.items() for name in registry if name not in COMPOSITE
]
SETTINGS = [
    pytest.param(f"{kind}: {name}", setting, id=f"{name}-{setting.name}")
    for kind, registry in REGISTRIES.items()
    for name in registry
    for setting in registry.settings(name).values()
]


def _text(name: str) -> str:
    return f"{name}:{NEEDED[name]}" if name in NEEDED else name


def _other(setting: Setting) -> Any:
    """Return a value that will do and is not the default."""
    if isinstance(setting, Number | Integer):
        where = setting.search
        ends = [where.low, where.high] if where else [-1] if setting.name == "low" else [0.5, 2]
        found = [setting.plain(int(x) if isinstance(setting, Integer) else x) for x in ends]
        return next(x for x in found if x is not NotImplemented and x != setting.default)
    if isinstance(setting, Boolean):
        return not setting.default
    if isinstance(setting, Choice):
        return next(word for word in setting.choices if word != setting.default)
    if isinstance(setting, Listed):
        whole = (2, 3) if isinstance(setting.of, Integer) else (0.25, 0.75)
        return ("a",) if isinstance(setting.of, Text) else whole
    assert isinstance(setting, Text), setting
    return "val_accuracy"


def test_all_kinds_of_parts_are_here() -> None:
    """A record whose fields are settings belongs to a registry; messages of the page do not."""
    registered = {
        entry if isinstance(entry, type) else type(entry)
        for registry in REGISTRIES.values()
        for entry in registry.values()
    }
    waiting, found = [Record], set()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        is_message = kind.__module__.startswith("minicolumn.playground.")
        if kind.__module__.startswith("minicolumn.") and not is_message and settings_of(kind):
            found.add(kind)
    bases = {kind for kind in found if kind.__subclasses__()}  # such as Optimizer: nobody makes one
    assert found - bases - {Settings} <= registered  # which are the keywords of `fit`


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_text_record_json_record_text(kind: str, name: str) -> None:
    registry = REGISTRIES[kind]
    record = registry.make(_text(name))
    text = registry.to_text(record)
    assert registry.make(text) == record
    assert registry.to_text(registry.make(text)) == text
    written = json.loads(json.dumps(registry.to_json(record), allow_nan=False))
    assert registry.from_json(written) == record
    assert registry.describe(record)[0] == name


EVERY = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_misspelt_name_or_setting_is_answered_with_what_was_meant(kind: str, name: str) -> None:
    registry = REGISTRIES[kind]
    if len(name) > 3:
        with pytest.raises(DataError, match="did you mean ") as caught:
            registry.make(f"{name}x")
        assert caught.value.args[0].startswith(f"unknown {registry.noun} '{name}x'; did you mean ")
    for key in registry.settings(name):
        if len(key) > 2:
            with pytest.raises(DataError, match=f"{name}: unknown setting '{key}x'; did you mean"):
                registry.make(f"{name}:{key}x=1")
    with pytest.raises(DataError, match=f"{name}: unknown setting 'zzzz'"):
        registry.make(f"{name}:zzzz=1")


@pytest.mark.parametrize(("kind", "alias"), [(k, a) for k, r in REGISTRIES.items() for a in r.aliases])
def test_an_alias_stands_for_an_entry(kind: str, alias: str) -> None:
    registry = REGISTRIES[kind]
    assert registry.to_text(registry.make(alias)) == registry.aliases[alias]


def _changeable(kind: str, name: str) -> dict[str, Setting]:
    """Return the settings of an entry that have a default and are plain values."""
    base = REGISTRIES[kind].resolve(_text(name), {})[2]
    settings = REGISTRIES[kind].settings(name)
    return {k: s for k, s in settings.items() if not isinstance(s, Part | Custom) and k not in base}


@pytest.mark.parametrize(("kind", "name"), [entry for entry in ENTRIES if _changeable(*entry)])
def test_changed_settings_come_back_too(kind: str, name: str) -> None:
    registry = REGISTRIES[kind]
    settings = registry.settings(name)
    for key, setting in _changeable(kind, name).items():
        beside = {"at": (0.5,)} if key == "factors" else {"factors": (1.0, 0.5, 0.25)} if key == "at" else {}
        known = {k: v for k, v in beside.items() if k in settings}
        record = registry.make(_text(name), **{key: _other(setting)}, **known)
        text = registry.to_text(record)
        assert f"{key}=" in text
        assert registry.make(text) == record
        written = json.loads(json.dumps(registry.to_json(record), allow_nan=False))
        assert registry.from_json(written) == record


@pytest.mark.parametrize(("entry", "setting"), SETTINGS)
def test_a_default_passes_its_own_check_and_help_is_one_line(entry: str, setting: Setting) -> None:
    assert setting.help.strip().endswith(".")
    assert "\n" not in setting.help
    assert len(setting.help) <= 80
    assert setting.name
    if setting.default is not REQUIRED:
        found = setting.check(setting.default, entry)
        assert found == setting.default
        assert type(found) is type(setting.default)
    assert json.loads(json.dumps(setting.control, allow_nan=False))["help"] == setting.help


ODD = [
    0, 1, -1, 2, 7, 10**400, -(10**400), True, False, np.bool_(True), np.int64(3), None, "", "relu", "tanh",
    "x" * 200, "val_loss", "cosine", "relu:slope=2", [0.5], (0.5,), (0.25, 0.75), object(), len,
    np.array(0.5), np.float32(0.5), 0.0, -0.0, 0.5, 1.0, -1.0, 1e-320, 1e38, 1e39, 1.7e308,
    math.inf, -math.inf, math.nan,
]  # fmt: skip


@pytest.mark.parametrize(("entry", "setting"), SETTINGS)
def test_the_fast_test_passes_only_what_is_held_as_it_stands(entry: str, setting: Setting) -> None:
    """Bounds and their neighbours, and values of all kinds."""
    values = list(ODD)
    if isinstance(setting, Number | Integer):
        ends = [x for x in (setting.ge, setting.gt, setting.le, setting.lt) if abs(x) < math.inf]
        values += [y for x in ends for y in (x, math.nextafter(x, -9e99), math.nextafter(x, 9e99))]
        values += [int(x) + d for x in ends for d in (-1, 0, 1)]
    if setting.default is not REQUIRED:
        values.append(setting.default)
    passed = [value for value in values if setting.passes(value)]
    for value in passed:
        assert setting.plain(value) is value, f"{entry}: {setting.name}: {value!r}"
    if isinstance(setting, Number | Integer):
        kind = float if isinstance(setting, Number) else int
        slow = [x for x in values if type(x) is kind and setting.plain(x) is not NotImplemented]
        slow = [x for x in slow if kind is float or abs(x) < 1e308]
        assert list(map(repr, passed)) == list(map(repr, slow))  # nothing that is common takes the long way


def _outside(setting: Number | Integer) -> list[float]:
    """Return the values just outside of a range."""
    step = (lambda x, to: x + int(math.copysign(1, to))) if isinstance(setting, Integer) else math.nextafter
    found = []
    if setting.low > -math.inf:
        found.append(setting.low if setting.gt >= setting.ge else step(setting.low, -math.inf))
    if setting.high < math.inf:
        found.append(setting.high if setting.lt <= setting.le else step(setting.high, math.inf))
    return found


@pytest.mark.parametrize(("entry", "setting"), SETTINGS)
def test_values_out_of_range_are_refused_by_a_line_that_says_all(entry: str, setting: Setting) -> None:
    odd: list[Any] = [math.nan, math.inf, "a", [1], object(), np.array(0.5), float]
    odd += _outside(setting) if isinstance(setting, Number | Integer) else [None]
    odd += [] if isinstance(setting, Integer) and setting.high == math.inf else [10**400]
    if isinstance(setting, Choice | Text):
        odd = [1.5, None, "", "x" * 200]
    elif isinstance(setting, Listed | Custom | Part):
        odd = [1.5, object(), [object()]]
    elif isinstance(setting, Boolean):
        odd += [0, 1, "true", np.array([True])]
        assert setting.check(np.bool_(True), entry) is True
    for value in odd:
        if value is None and setting.optional:
            continue
        with pytest.raises(DataError) as caught:
            setting.check(value, entry)
        line = str(caught.value)
        assert line.startswith(f"{entry}: {setting.name}: expected {setting.expected}, got ")
        assert "\n" not in line
        assert len(line) < 260


@pytest.mark.parametrize(("entry", "setting"), SETTINGS)
def test_tuners_have_where_to_look(entry: str, setting: Setting) -> None:
    """A number that decides how well a network does has a range; what is a bound of something has none."""
    if not isinstance(setting, Number | Integer):
        return
    unsearched = {"levels", "floor", "value", "low", "high", "stddev", "mean", "least", "most", "initial"}
    if setting.search is None:
        assert setting.name in unsearched, f"{entry}: {setting.name}"
        return
    low, high = setting.search.low, setting.search.high
    assert low < high
    assert low > 0 or not setting.search.log
    for end in (low, high):
        assert setting.holds(end), f"{entry}: {setting.name}: tuners would try {end}"
    if isinstance(setting, Integer):
        assert (low, high) == (int(low), int(high))


@dataclasses.dataclass(frozen=True)
class Mine(Record):
    """A record of one's own."""

    rate: Annotated[float, Number(help="A rate.", gt=0)]
    order: Annotated[int, Integer(help="An order.", ge=1, le=4)] = 2
    words: Annotated[tuple[str, ...], Listed(help="Words.", of=Text(help="One."), words="words")] = ()
    free: Any = None


def test_records_of_ones_own_check_and_hold_plain_values() -> None:
    found = Mine(np.float32(0.5), np.int64(3), ["a"])  # type: ignore[arg-type]
    assert found == Mine(0.5, 3, ("a",))
    assert [type(x) for x in (found.rate, found.order, found.words)] == [float, int, tuple]
    assert list(settings_of(Mine)) == ["rate", "order", "words"]
    assert settings_of(Mine)["rate"].default is REQUIRED
    with pytest.raises(DataError, match=r"Mine: order: expected an integer, 1 <= order <= 4, got 5"):
        Mine(0.5, 5)
    registry: Registry[Any] = Registry("thing", {"mine": Mine})
    with pytest.raises(DataError, match=r"mine: rate is missing: a number > 0"):
        registry.make("mine")
    assert registry.from_json({"name": "mine", "rate": 1}) == Mine(1.0)


HELD = Annotated[float, Number(help="By an alias.", ge=0)]


@dataclasses.dataclass(frozen=True)
class Ordered(Record):
    """A record with a range of its own, and a default that is out of it."""

    most: Annotated[int, Integer(help="At most.", ge=1, at_least="least")] = 3
    least: Annotated[int, Integer(help="At least.", ge=1)] = 2
    odd: Annotated[float, Number(help="Its default will not do.", gt=0)] = 0.0
    alias: HELD = 1.0


def test_defaults_and_pairs_of_fields_are_checked_too() -> None:
    with pytest.raises(DataError, match=r"Ordered: odd: expected a number > 0, got 0\.0"):
        Ordered()
    with pytest.raises(DataError, match=r"Ordered: most: expected an integer >= least, got 1"):
        Ordered(1, odd=1.0)
    with pytest.raises(DataError, match=r"Ordered: least: expected an integer >= 1, got REQUIRED"):
        Ordered(least=REQUIRED, odd=1.0)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"Ordered: alias: expected a number >= 0, got -1"):
        Ordered(odd=1.0, alias=-1)
    assert Ordered(odd=1.0) == Ordered(3, 2, 1.0)


def test_a_setting_declared_anew_is_that_of_the_subclass() -> None:
    base, derived = settings_of(mc.optim.Optimizer), settings_of(mc.optim.Clipped)
    assert "learning_rate" in base
    assert list(derived) == ["optimizer", "norm", "value"]


def test_traced_numbers_stand_for_checked_ones() -> None:
    double = mc.compile(lambda rate: nn.L2(rate)({"weight": np.ones(2)}))
    assert double(np.float64(3.0)) == 3.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.ACTIVATIONS["rellu"], "unknown activation 'rellu'; did you mean 'relu'"),
        (lambda: nn.ACTIVATIONS.make("zzz"), r"there are linear, .* and \d+ more"),
        (lambda: nn.LOSSES["mean_squared_errr"], "did you mean 'mean_squared_error'"),
        (lambda: mc.optim.OPTIMIZERS.make("cliped"), "did you mean 'clipped'"),
        (lambda: mc.optim.OPTIMIZERS.make("clipped:norm=1"), "clipped: optimizer is missing: a name, or"),
        (lambda: mc.optim.OPTIMIZERS.make("adam:b1=0.8", b1=0.9), "b1 is set twice, in 'adam:b1=0.8' and"),
        (lambda: mc.optim.OPTIMIZERS.make("adam:esp=1"), "adam: unknown setting 'esp'; did you mean 'eps'"),
        (lambda: mc.optim.OPTIMIZERS.to_text(3), "int is no optimizer of the catalogue; there are sgd"),
        (lambda: mc.optim.SCHEDULES.make("warm_up:inner=warm_up"), "a schedule other than WarmUp, got 'warm"),
        (lambda: mc.optim.SCHEDULES.make("warm_up:inner=cosin"), "did you mean 'cosine'"),
        (lambda: nn.Loss("huber:delta=2", delta=3.0), "huber: delta is set twice"),
    ],
)
def test_what_is_unknown_is_answered_with_what_is(make: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"name": "Adm"}, "unknown optimizer 'Adm'; did you mean 'Adam'"),
        ({"name": "adam"}, "unknown optimizer 'adam'"),  # files name the class
        ({"name": "Adam", "b1": 2}, "optimizer: Adam: b1: expected a number, 0 <= b1 < 1, got 2"),
        ({"name": "Adam", "self": 2}, "optimizer: adam: unknown setting 'self'"),
        ({"name": "Clipped", "norm": 1}, "optimizer: clipped: optimizer is missing"),
        ({"name": "Clipped", "norm": 1, "optimizer": {"name": "os.system"}}, "unknown optimizer 'os.system'"),
        ({"name": "Clipped", "norm": 1, "optimizer": 3}, "unknown optimizer 3"),
        (None, "unknown optimizer None"),
    ],
)
def test_what_a_file_may_not_say(value: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        mc.optim.OPTIMIZERS.from_json(value)
    assert len(str(caught.value)) < 200


def test_a_registry_is_a_mapping_of_its_own_names() -> None:
    optimizers = mc.optim.OPTIMIZERS
    assert optimizers["adam"] is mc.optim.Adam
    assert optimizers["momentum"] is mc.optim.SGD
    assert "adam" in optimizers
    assert "momentum" not in optimizers
    assert optimizers.get("momentum") is None
    assert len(optimizers) == len(list(optimizers)) == len(optimizers.values())
    assert {"momentum", "clipped"} < set(optimizers.known)


def test_further_entries_are_known_while_they_are_included() -> None:
    names, rule = [*nn.ACTIVATIONS], nn.ACTIVATIONS["tanh"]
    with nn.ACTIVATIONS.including({"lab.half": rule}):
        assert [*nn.ACTIVATIONS] == [*names, "lab.half"]
        assert nn.ACTIVATIONS["lab.half"] is rule
        with pytest.raises(DataError, match=r"did you mean 'lab\.half'"):
            nn.ACTIVATIONS["lab.hall"]
    assert [*nn.ACTIVATIONS] == names
    with (
        pytest.raises(DataError, match=r"a name has a dot, as in 'lab\.activation'"),
        nn.ACTIVATIONS.including({"half": rule}),
    ):
        pytest.fail("it was included")
    taken = [names[0], next(iter(nn.ACTIVATIONS.aliases))]  # an alias, too, already says what it means
    for name in taken:
        with (
            pytest.raises(DataError, match=f"{name}.* declared already"),
            nn.ACTIVATIONS.including({name: rule}),
        ):
            pytest.fail("it was included")
    with pytest.raises(KeyError, match="own"), nn.ACTIVATIONS.including({"lab.half": rule}):
        raise KeyError("own")
    assert [*nn.ACTIVATIONS] == names


def test_what_is_added_while_entries_are_included_goes_with_them() -> None:
    with mc.optim.OPTIMIZERS.including({}):
        mc.optim.OPTIMIZERS.add("lab.mine", mc.optim.Adam)
        assert "lab.mine" in mc.optim.OPTIMIZERS
    assert "lab.mine" not in mc.optim.OPTIMIZERS
    assert mc.optim.OPTIMIZERS.to_json(mc.optim.Adam())["name"] == "Adam"
