"""Estimators in model files: parameters and learnt attributes as JSON values beside the network's weights.

    training["fitted"] = {"parameters": {"alpha": 0.0001, ...}, "n_iter_": 12, ...}

Nothing is taken on trust: parameters pass the checks of `fit`, and the network that they ask for must be the
one that the file holds.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from minicolumn.errors import DataError, MinicolumnError, ModelFileError, did_you_mean
from minicolumn.estimators import parameters
from minicolumn.estimators.convergence import ConvergenceState
from minicolumn.estimators.heads import Head
from minicolumn.estimators.members import new_member
from minicolumn.estimators.network import dense_layers, from_params
from minicolumn.model.artifact import Artifact, load_artifact
from minicolumn.model.card.record import Card
from minicolumn.model.files import PathLike, shown
from minicolumn.nn import LOSSES
from minicolumn.nn.constrain import CONSTRAINTS
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.serialize import from_json
from minicolumn.optim import OPTIMIZERS, SCHEDULES
from minicolumn.registry import Registry
from minicolumn.train import History, Snapshot
from minicolumn.train.callbacks import CALLBACKS
from minicolumn.train.history import Row

if TYPE_CHECKING:
    from minicolumn.estimators.base import BaseMLP

Array = np.ndarray
Estimator = TypeVar("Estimator", bound="BaseMLP")
# Parameters that may be records, and the registries that write and read these.
_RECORDS: dict[str, Registry[Any]] = {
    "solver": OPTIMIZERS, "learning_rate": SCHEDULES, "loss": LOSSES, "constraint": CONSTRAINTS,
    "callbacks": CALLBACKS,
}  # fmt: skip
_COUNTS = ("n_iter_", "t_", "_seed", "_no_improvement_count")
_FIGURES = ("loss_", "best_loss_", "best_validation_score_", "temperature_", "oob_score_")
_CURVES = ("loss_curve_", "validation_scores_", "validation_loss_curve_")


class _NotStorable(Exception):
    """A value that no file can hold."""


# Writing ----------------------------------------------------------------------------------------------------


def fitted_to_json(estimator: BaseMLP) -> dict[str, Any]:
    """Return what makes the estimator again from its network and its weights, as JSON values.

    Parameters that no file can hold are left out: own functions, callback objects of one's own.
    """
    e = estimator
    several = vars(e).get("estimators_")
    return {
        "parameters": _parameters(e),
        **(_learnt(e) if several is None else {**_figures(e), "members": [_member(m) for m in several]}),
        "dtype": np.dtype(e._dtype_out).name,
        **e._target_state(),
    }


def _figures(e: BaseMLP) -> dict[str, Any]:
    """Return the learnt numbers and curves, as far as there are any."""
    learnt = {name: getattr(e, name) for name in (*_COUNTS, *_FIGURES, *_CURVES) if hasattr(e, name)}
    return {name: _to_json(name, value) for name, value in learnt.items()}


def _learnt(e: BaseMLP) -> dict[str, Any]:
    """Return what one network has learnt beside its weights."""
    state = e._convergence
    return {
        **_figures(e),
        "convergence": [
            *(_to_json("", v) for v in (state.best_loss, state.best_score, state.idle, state.factor)),
            state.best_epoch,
        ],
        "kept": e.history_.kept,
    }


def _member(e: BaseMLP) -> dict[str, Any]:
    """Return what a member of an ensemble has of its own beside its weights."""
    rows = [[[name, _to_json("", value)] for name, value in row.items()] for row in e.history_.rows]
    return {"random_state": e.random_state, **_learnt(e), "history": rows}


def _parameters(estimator: BaseMLP) -> dict[str, Any]:
    found = {}
    for name, value in estimator.get_params(deep=False).items():
        if name == "init_from":  # what was learnt stands in its place
            continue
        try:
            found[name] = _to_json(name, value)
        except _NotStorable:
            continue
    return found


def _to_json(name: str, value: Any) -> Any:
    """Return a value as JSON: infinities, dicts and records as objects of one entry, the rest as it is."""
    if name == "dtype":
        return np.dtype(value).name
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic):
        return _to_json(name, value.item())
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else {"float": str(float(value))}
    if isinstance(value, np.ndarray | list | tuple):
        listed = value.tolist() if isinstance(value, np.ndarray) else value
        return [_to_json(name, inner) for inner in listed]
    if isinstance(value, Mapping):
        return {"pairs": [[_to_json("", k), _to_json("", v)] for k, v in value.items()]}
    return {"record": _record_to_json(name, value)}


def _record_to_json(name: str, value: Any) -> Any:
    try:
        told = _RECORDS[name].to_json(value)
        _RECORDS[name].from_json(told)  # by class, records of one's own are written too
    except (KeyError, TypeError, AttributeError, MinicolumnError):
        raise _NotStorable from None
    return told


# Reading ----------------------------------------------------------------------------------------------------


def load_estimator(kind: type[Estimator], path: PathLike) -> Estimator:
    """Return the fitted estimator that `save` wrote; see `BaseMLP.load`.

    Errors      ModelFileError, in one line that begins with the path
    """
    found = load_artifact(path)
    try:
        return restored(kind, found)
    except ModelFileError as error:
        raise ModelFileError(f"{shown(path)} {error}") from None


def restored(kind: type[Estimator], found: Artifact) -> Estimator:
    """Return the estimator that a file holds; ModelFileError, whose text begins with a verb, for another."""
    name, told = found.training.get("estimator"), found.training.get("fitted")
    if not isinstance(told, dict):
        raise ModelFileError("holds a model, not an estimator; open it with mc.load")
    if name != kind.__name__:
        raise ModelFileError(f"holds a {str(name)[:60]}; open it with mc.{str(name)[:60]}.load")
    try:
        estimator = _constructed(kind, told["parameters"])
        _learn(estimator, found, told)
        estimator._rows = Card.from_json(found.training.get("card", {})).rows
    except ModelFileError:
        raise
    except (MinicolumnError, ValueError, TypeError, LookupError, OverflowError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ModelFileError(f"is damaged: its estimator cannot be made again ({reason})") from None
    return estimator


def _constructed(kind: type[Estimator], told: Any) -> Estimator:
    known = inspect.signature(kind).parameters
    if not isinstance(told, dict):
        raise ModelFileError("is damaged: its parameters are no object")
    for name in told:
        if name not in known:
            raise ModelFileError(f"has an unknown parameter {name[:60]!a}{did_you_mean(name, known)}")
    estimator = kind(**{name: _from_json(name, value) for name, value in told.items()})
    parameters.validate(estimator)
    return estimator


def _from_json(name: str, value: Any) -> Any:
    """Return the value that `_to_json` wrote."""
    if isinstance(value, list):
        return tuple(_from_json(name, inner) for inner in value)
    if not isinstance(value, dict):
        return value
    if value.keys() == {"float"} and value["float"] in ("inf", "-inf", "nan"):
        return float(value["float"])
    if value.keys() == {"pairs"}:
        return {_from_json("", k): _from_json("", v) for k, v in value["pairs"]}
    if value.keys() == {"record"} and name in _RECORDS:
        return _RECORDS[name].from_json(value["record"])
    raise DataError(f"{name or 'a value'} is of another kind")


def _learn(e: BaseMLP, found: Artifact, told: dict[str, Any]) -> None:
    """Set the learnt attributes; the file's network must be the one that parameters and target ask for."""
    e._dtype_out = np.dtype({"float32": np.float32, "float64": np.float64}[told["dtype"]])
    stored = from_json(found.network)
    head = e._restore_target(found.training, stored.output_shape(found.input_shape)[0])
    _set_head(e, head)
    several = told.get("members")
    if (e.members > 1) != isinstance(several, list) or (several is not None and not several):
        raise ModelFileError("is damaged: its parameters ask for another number of networks than it holds")
    if len(found.input_shape) != 1:
        raise ModelFileError("is damaged: its parameters ask for another network than it holds")
    e.n_features_in_ = found.input_shape[0]
    _set_names(e, found.training.get("features"))
    if several is None:
        _set_learnt(e, found.params, told, found.history, stored)
        return
    _set_figures(e, told)
    e.estimators_, e._members_then = [new_member(e, _seed(part)) for part in several], e.members
    if e._made()[0] != stored:
        raise ModelFileError("is damaged: its parameters ask for another network than it holds")
    for place, (member, part) in enumerate(zip(e.estimators_, several, strict=True)):
        member._restore_target({**found.training, "fitted": {**told, "held": None}}, head.units)
        _set_head(member, head)
        rows = [{_name(name): _figure("", value) for name, value in row} for row in part["history"]]
        _set_learnt(member, found.params[str(place)], part, rows, member._network())
    e.n_layers_, e.history_ = e.estimators_[0].n_layers_, History(found.history)


def _set_head(e: BaseMLP, head: Head) -> None:
    """Set what is known of the outputs before any training."""
    e.n_outputs_, e.out_activation_ = head.units, head.out_activation
    e._loss, e._meaning = head.record, head.outputs


def _set_learnt(e: BaseMLP, params: Params, told: dict[str, Any], rows: list[Row], stored: Layer) -> None:
    """Set what one network has learnt, which must be the one that the parameters and the target ask for."""
    network = e._network()
    if network != stored:
        raise ModelFileError("is damaged: its parameters ask for another network than it holds")
    e.n_layers_ = 1 + len(dense_layers(network))
    e.coefs_, e.intercepts_ = from_params(network, params, e._dtype_out)
    _set_figures(e, {**told, **{name: told[name] for name in _COUNTS}})  # which each network has
    best_loss, best_score, idle, factor = (_figure("", v) for v in told["convergence"][:4])
    best_epoch, kept = _epoch(told["convergence"][4]), _epoch(told["kept"])
    e._convergence = ConvergenceState(best_loss, best_score, idle, factor, best_epoch)
    e.history_ = History(rows, kept)
    e._snapshot = Snapshot(None, rows=tuple(rows))
    e._optimizer = parameters.optimizer_after(e, e.t_, factor)


def _set_figures(e: BaseMLP, told: dict[str, Any]) -> None:
    for name in (n for n in (*_COUNTS, *_FIGURES, *_CURVES) if n in told):
        setattr(e, name, _figure(name, told[name]))


def _seed(part: dict[str, Any]) -> int:
    """Return the seed of a member."""
    seed = part["random_state"]
    if type(seed) is not int or not 0 <= seed < 2**32:
        raise DataError("the seed of a network is no integer")
    return seed


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise DataError("the name of a figure is no text")
    return value


def _set_names(e: BaseMLP, names: Any) -> None:
    if names is None:
        return
    if not isinstance(names, list) or len(names) != e.n_features_in_ or {type(n) for n in names} != {str}:
        raise ModelFileError("is damaged: it does not have a name for each feature")
    e.feature_names_in_ = np.array(names, object)


def _figure(name: str, value: Any) -> Any:
    """Return a learnt number, or a list of such; None stays."""
    read = _from_json("", value)
    if name in _CURVES and isinstance(read, tuple):
        return [_figure("", inner) for inner in read]
    if read is not None and (isinstance(read, bool) or not isinstance(read, int | float)):
        raise DataError(f"{name or 'a figure'} is no number")
    return read


def _epoch(value: Any) -> int | None:
    """Return the number of an epoch, or None."""
    if value is not None and type(value) is not int:
        raise DataError("an epoch is no integer")
    return value


def arrays_to_json(arrays: Sequence[Array | None]) -> list[Any] | None:
    """Return arrays as nested lists with their dtypes; None where one holds what is not finite."""
    if not all(a is None or np.isfinite(a).all() for a in arrays):
        return None
    return [None if a is None else [np.asarray(a).dtype.name, np.asarray(a).tolist()] for a in arrays]


def arrays_from_json(told: Any, count: int) -> list[Array | None]:
    """Return the arrays that `arrays_to_json` wrote, so many of them, of as many rows each; None for none."""
    if told is None:
        return [None] * count
    arrays = [None if a is None else np.array(a[1], {"float32": "f4", "float64": "f8"}[a[0]]) for a in told]
    if len(arrays) != count or len({len(a) for a in arrays if a is not None}) > 1:
        raise DataError("held-out rows do not fit each other")
    return arrays
