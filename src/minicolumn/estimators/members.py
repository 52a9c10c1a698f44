"""Ensembles of an estimator: networks trained side by side, each an estimator of its own, averaged as one.

    rows, checked and encoded once -> each member holds out the next ones -> members beside each other, one
    thread each -> what they predict out of bag -> temperature, intervals, score

Differs     scikit-learn's BaggingClassifier draws each member's rows with replacement, checks them anew for
            each, and calls one member after the other to predict; here the members' mean is one network
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from minicolumn.errors import DataError, warn_user
from minicolumn.estimators.convergence import say
from minicolumn.estimators.fitting import FitPlan, fit_one
from minicolumn.estimators.holdout import Data, Parts, held_in_turn
from minicolumn.estimators.sklearn_callbacks import Hooks
from minicolumn.estimators.training import NothingLearnt, Outcome, check_batch
from minicolumn.lower.llvm.runtime.thread_count import cores
from minicolumn.nn.layers.ensemble import mean_of_normal
from minicolumn.train.callbacks import CALLBACKS, check_callbacks
from minicolumn.train.history import mean_history
from minicolumn.train.side_by_side import Reporter, do_side_by_side

if TYPE_CHECKING:
    from minicolumn.estimators.base import BaseMLP

Array = np.ndarray
M = TypeVar("M", bound="BaseMLP")
Ended = Outcome | NothingLearnt | None
# What one network learns and several together have not; each of `estimators_` has its own.
OF_ONE_NETWORK = (
    "coefs_",
    "intercepts_",
    "t_",
    "loss_curve_",
    "best_loss_",
    "validation_scores_",
    "best_validation_score_",
    "validation_loss_curve_",
)
OUT_OF_BAG = ("oob_score_", "oob_decision_function_", "oob_prediction_")
# What a member knows of rows and targets from the ensemble, which has checked them.
_KNOWN = ("classes_", "_binarizer", "n_features_in_", "feature_names_in_", "_dtype_out")
# Of these a member has its own. What is held out, and what is made of it, is the ensemble's to say.
_OWN = {"members": 1, "threads": 1, "verbose": False, "calibrate": False, "conformal_fraction": 0.0}


class OfOneNetwork:
    """A learnt attribute that an ensemble has not: AttributeError with the reason until an object has it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, estimator: BaseMLP | None, owner: type | None = None) -> Any:
        if estimator is None:
            return self
        reason = f"{type(estimator).__name__!r} object has no attribute {self._name!r}"
        if "estimators_" in vars(estimator):
            several = len(estimator.estimators_)
            reason += f": it averages {several} networks, and each has its own: estimators_[0].{self._name}"
        raise AttributeError(reason, name=self._name, obj=estimator)


def check_going_on(estimator: BaseMLP, first: bool) -> None:
    """Refuse a fit that goes on with another number of networks, and callbacks that follow one training.

    first       whether the fit begins from scratch
    Errors      DataError
    """
    e, known = estimator, tuple(CALLBACKS.values())
    then = getattr(e, "_members_then", 1)
    if not first and then != e.members:
        raise DataError(
            f"members: the fit before was of {then}, now members={e.members} is asked for; set it back, or "
            "fit anew with warm_start=False"
        )
    if e.members == 1:
        return
    for callback in check_callbacks("fit", e.callbacks or ()):
        if not isinstance(callback, known):
            names = ", ".join(kind.__name__ for kind in known)
            raise DataError(
                f"callbacks: {type(callback).__name__} follows one training, and members={e.members} train "
                f"at once; say members=1, or take those that look at the history alone: {names}"
            )


def fit_members(estimator: BaseMLP, plan: FitPlan, hooks: Hooks) -> None:
    """Train the members of an ensemble side by side, and set what is learnt.

    hooks       scikit-learn's callbacks, told of each member once all have ended
    Errors      DataError where every member diverged; KeyboardInterrupt where an interrupt came before any
                had learnt anything
    Warns       ConvergenceWarning of members that diverged, which are left out, and of those that max_iter
                ended; UserWarning after an interrupt, which leaves those that learnt anything
    """
    e = estimator
    data, calibration = e._calibration_rows(plan.data, plan.incremental)
    held = _held(e, data, plan)
    check_batch(e, len(data) - (len(held[0]) if held else 0))
    members = [_member(e, number, plan) for number in range(_how_many(e, plan))]
    jobs = [_job(member, data, held[n] if held else None, plan) for n, member in enumerate(members)]
    endings = do_side_by_side(jobs, e.threads or cores())
    places = _kept(e, endings)
    e.estimators_, e._members_then = [members[place] for place in places], e.members
    _set_figures(e)
    judged = [(held[place], e.estimators_[n]) for n, place in enumerate(places)] if held else []
    _judge(e, data, judged, calibration or plan.given, plan.rows)
    for _ in places:
        hooks.epoch({})


def _how_many(e: BaseMLP, plan: FitPlan) -> int:
    return e.members if plan.first else len(e.estimators_)


def _held(e: BaseMLP, data: Data, plan: FitPlan) -> list[Array]:
    """Return the rows that each member holds out, by their places; none where nothing is held out in turn."""
    fraction = 0.0 if plan.incremental or plan.given is not None else e._held_fraction()
    if not fraction:
        return []
    count, strata = _how_many(e, plan), e._strata(data)
    return held_in_turn(len(data), fraction, count, e._split_seed(), strata, "validation_fraction")


def _member(e: BaseMLP, number: int, plan: FitPlan) -> BaseMLP:
    """Return a member: an estimator of one network that knows what the ensemble knows of the rows.

    The seed of the first is that of the whole, so that it is the network which members=1 would train.
    """
    if plan.first:
        drawn = int(np.random.SeedSequence([e._seed, number]).generate_state(1)[0])
        member = new_member(e, drawn if number else e._seed)
    else:  # a copy: where this fit fails, the member before is still there
        before = e.estimators_[number]
        member = copy.copy(before).set_params(**_parameters(e, before.random_state))
    member._begin(plan.head, plan.first)
    return member


def new_member(estimator: M, seed: int) -> M:
    """Return an estimator of one network that knows what an ensemble knows of rows and targets, and no more.

    seed        of its own
    """
    member = type(estimator)(**_parameters(estimator, seed))
    known = vars(estimator)
    member.__dict__.update({name: known[name] for name in _KNOWN if name in known})
    return member


def _parameters(e: BaseMLP, seed: Any) -> dict[str, Any]:
    """Return the parameters of a member: those of the ensemble, but for what it has of its own."""
    told = e.get_params(deep=False)
    own = {name: value for name, value in _OWN.items() if name in told}
    return told | own | {"random_state": seed}


def _job(member: BaseMLP, data: Data, held: Array | None, plan: FitPlan) -> Callable[[Reporter], Ended]:
    """Return what trains a member; only while it does, its rows stand apart."""

    def run(reporter: Reporter) -> Ended:
        kept = data if held is None else data.take(np.delete(np.arange(len(data)), held))
        parts = Parts(kept, plan.given if held is None else data.take(held))
        try:
            hooks = member._hooks(parts.train.X, parts.train.target, None, 0)  # of which nobody is told
            return fit_one(member, parts, plan, hooks, reporter)
        except NothingLearnt as error:
            return error

    return run


def _kept(e: BaseMLP, endings: Sequence[Ended]) -> list[int]:
    """Return the places of the members that are kept, and say which are not and why."""
    count = len(endings)
    learnt = {n: end for n, end in enumerate(endings) if isinstance(end, Outcome) and end.losses}
    sound = {n: end for n, end in learnt.items() if not end.diverged} or learnt
    errors = [str(end) for end in endings if isinstance(end, NothingLearnt)]
    errors += [end.doubt for end in learnt.values() if end.diverged]
    interrupted = any(isinstance(end, Outcome) and end.stopped == "interrupted" for end in endings)
    if not sound and errors:
        raise NothingLearnt(errors[0])
    if not sound:
        raise KeyboardInterrupt
    for n, end in sound.items():
        say(e.verbose, f"Network {n + 1} of {count}: {len(end.losses)} epochs, loss = {end.loss:.8f}")
    if interrupted or None in endings:
        warn_user(f"Training interrupted by user. {len(sound)} of {count} networks have learnt and are kept.")
    if errors and len(sound) < count:
        warn_user(
            f"{len(errors)} of {count} networks diverged and are left out: {errors[0]}", ConvergenceWarning
        )
    if doubts := [end.doubt for end in sound.values() if end.doubt]:
        warn_user(f"{len(doubts)} of {len(sound)} networks: {doubts[0]}", ConvergenceWarning)
    return list(sound)


def _set_figures(e: BaseMLP) -> None:
    """Set what members have in common, and the means of their figures."""
    e.n_layers_ = e.estimators_[0].n_layers_
    e.n_iter_ = max(member.n_iter_ for member in e.estimators_)
    e.loss_ = float(np.mean([member.loss_ for member in e.estimators_]))
    e.history_ = mean_history([member.history_ for member in e.estimators_])


def _judge(
    e: BaseMLP, data: Data, judged: Sequence[tuple[Array, BaseMLP]], shared: Data | None, among: int
) -> None:
    """Calibrate by the rows that were held out, and keep what is predicted for them.

    judged      the places of the rows that each member held out, and the member
    shared      rows that no member has seen, as a calibration set is; None for none
    among       how many rows `fit` was given
    """
    for name in OUT_OF_BAG:
        e.__dict__.pop(name, None)
    apart = [(data.take(held), member) for held, member in judged]
    e._calibrate_members(apart or [(shared, member) for member in e.estimators_ if shared is not None])
    rows, outputs = shared, None
    if judged:
        predicted = [member._predictions_of(part.X) for part, member in apart]
        found = [(held, own) for (held, _), own in zip(judged, predicted, strict=True)]
        places, found = out_of_bag(found, e._meaning.average)
        seen = data.take(places)
        e.oob_score_ = e._default_score(seen, found)
        e._keep_out_of_bag(seen, found, among)
        rows, outputs = (seen, found) if shared is None else (shared, None)
    if rows is not None and outputs is None:
        outputs = e._predictions_of(rows.X)
    e._keep_held(rows, outputs)


def out_of_bag(judged: Sequence[tuple[Array, Array]], average: str) -> tuple[Array, Array]:
    """Return what the members that have not seen a row predict for it in the mean.

    judged      of each member the places of the rows that it held out, ascending, and its predictions for
                these, [rows, outputs]
    average     what is averaged, as `Outputs.average` says it
    Returns     the places of the rows that any member held out, int [found], and their means [found, outputs]
    Source      Breiman 1996, "Out-of-bag estimation"

    >>> one, other = np.array([[1.0], [2.0]]), np.array([[4.0], [5.0]])
    >>> out_of_bag([(np.array([0, 1]), one), (np.array([1, 2]), other)], "numbers")[1].ravel()
    array([1., 3., 5.])
    """
    places = np.unique(np.concatenate([held for held, _ in judged]))
    holds = np.stack([np.isin(places, held) for held, _ in judged])
    patterns, which = np.unique(holds, axis=1, return_inverse=True)
    means = np.empty((len(places), judged[0][1].shape[1]), judged[0][1].dtype)
    for number, holders in enumerate(patterns.T):
        rows = np.flatnonzero(which.reshape(len(places)) == number)
        own = [pair for pair, holds_out in zip(judged, holders, strict=True) if holds_out]
        several = np.stack([found[np.searchsorted(held, places[rows])] for held, found in own])
        # Predictions are what is averaged; of a distribution these are the mean and the log of the variance.
        means[rows] = mean_of_normal(several) if average == "normal" else np.mean(several, axis=0)
    return places, means


def spread_out(values: Array, data: Data, rows: int) -> Array:
    """Return values of some rows, [found, ...], at their places among all, [rows, ...]; NaN elsewhere."""
    everywhere = np.full((rows, *values.shape[1:]), np.nan, values.dtype)
    everywhere[data.numbers] = values
    return everywhere
