"""Train-test split: rows at random and stratified by class, whole groups, or the latest rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.errors import DataError

RowIndices = np.ndarray[Any, np.dtype[np.intp]]


def split_rows(classes: Any | None, rows: int, fraction: float, seed: int) -> tuple[RowIndices, RowIndices]:
    """Split rows at random into training and test rows, stratified by class.

    classes     codes [rows] whose shares are kept in both parts, or None
    rows        how many there are
    fraction    share of the test rows, between 0 and 1; ceil(fraction * rows) are tested
    seed        the same seed gives the same rows
    Returns     indices of the training rows and of the test rows, int [n_train] and int [n_test]
    Single      a class of one row goes to the training part; where the test part would have fewer rows
                than there are classes, the split is by chance alone
    Errors      DataError where either part would be empty
    Differs     scikit-learn's train_test_split refuses a class of one row when it stratifies

    Otherwise this is scikit-learn's train_test_split(np.arange(rows), test_size=fraction,
    random_state=seed, stratify=classes).

    >>> train, test = split_rows([0, 0, 0, 0, 1, 1, 1, 1], 8, 0.25, 0)
    >>> len(train), sorted(int(row) // 4 for row in test)
    (6, [0, 1])
    """
    if not 0.0 < fraction < 1.0:
        raise DataError(f"the share of test rows is {fraction}, expected a number between 0 and 1")
    if rows < 2:
        raise DataError(f"{rows} row{'s' * (rows != 1)} cannot be split; at least 2 are needed")
    every = np.arange(rows)
    if classes is None:
        return _split(every, fraction, seed, None)
    codes = np.asarray(classes)
    if codes.shape != (rows,):
        raise DataError(f"classes have shape {list(codes.shape)}, expected [rows] = [{rows}]")
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    lonely = counts[inverse] == 1
    kept = every[~lonely]
    if len(kept) < 2:
        return _split(every, fraction, seed, None)
    train, test = _split(kept, fraction, seed, codes[kept])
    return np.concatenate([train, every[lonely]]), test


def _split(rows: RowIndices, fraction: float, seed: int, codes: Any | None) -> tuple[RowIndices, RowIndices]:
    """Split rows as scikit-learn does; not stratified where a part has fewer rows than there are classes.

    Importing scikit-learn for this would take longer than all else that a small table takes.
    """
    tested = int(np.ceil(fraction * len(rows)))
    if tested >= len(rows):
        raise DataError(f"{len(rows)} rows leave none to train on with {fraction} of them for testing")
    draws = np.random.RandomState(seed)
    classes = 0 if codes is None else len(np.unique(codes))
    if codes is None or min(tested, len(rows) - tested) < classes:
        order = draws.permutation(len(rows))
        return rows[order[tested:]], rows[order[:tested]]
    train, test = _stratified(np.asarray(codes), tested, draws)
    return rows[train], rows[test]


def _stratified(
    codes: np.ndarray, tested: int, draws: np.random.RandomState
) -> tuple[RowIndices, RowIndices]:
    """Return places of rows to train on and to test, with each class's share of both."""
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    kept = _allotted(counts, len(codes) - tested, draws)
    taken = _allotted(counts - kept, tested, draws)
    train, test = [], []
    for own, first, more in zip(_by_class(inverse, counts), kept, taken, strict=True):
        order = own[draws.permutation(len(own))]
        train.append(order[:first])
        test.append(order[first : first + more])
    return draws.permutation(np.concatenate(train)), draws.permutation(np.concatenate(test))


def _by_class(inverse: np.ndarray, counts: np.ndarray) -> list[RowIndices]:
    """Return the places of each class's rows, in order."""
    return np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])


def _allotted(counts: np.ndarray, total: int, draws: np.random.RandomState) -> np.ndarray:
    """Return how many of `total` draws each class has by its count: rounded down, the largest rests up.

    Among equal rests it is drawn which of them go up.
    """
    shares = counts / counts.sum() * total
    found = np.floor(shares)
    rests, missing = shares - found, int(total - found.sum())
    for rest in np.unique(rests)[::-1]:
        if not missing:
            break
        tied = np.flatnonzero(rests == rest)
        chosen = draws.choice(tied, size=min(len(tied), missing), replace=False)
        found[chosen] += 1
        missing -= len(chosen)
    return found.astype(np.intp)


def split_groups(groups: Any, fraction: float, seed: int) -> tuple[RowIndices, RowIndices]:
    """Split rows so that all rows of a group stay on one side.

    groups      a number for each row, [rows]
    fraction    share of the rows that are tested: groups are taken by chance while they fit into it, at
                least one; seed: the same seed gives the same groups
    Returns     indices of the training rows and of the test rows
    Errors      DataError for fewer than two groups
    Differs     scikit-learn's GroupShuffleSplit takes a share of the groups, which may be most of the rows

    >>> train, test = split_groups([0, 0, 1, 1, 2, 2], 0.25, 0)
    >>> len(train), len(test)
    (4, 2)
    """
    _, inverse, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise DataError(f"groups: {len(sizes)} group cannot be split; at least 2 are needed")
    order = np.random.default_rng(seed).permutation(len(sizes))
    most = max(int(np.ceil(fraction * len(inverse))), int(sizes.min()))
    tested, room = np.zeros(len(sizes), bool), most
    for group in order:
        if sizes[group] <= room:
            tested[group], room = True, room - sizes[group]
    if tested.all():  # of two groups of one row each
        tested[order[-1]] = False
    return np.flatnonzero(~tested[inverse]), np.flatnonzero(tested[inverse])


def split_latest(times: Any, fraction: float) -> tuple[RowIndices, RowIndices]:
    """Split rows so that the latest are tested: nothing is learnt from what came later.

    times       numbers that grow with time, [rows]; rows of one time stay in their order
    fraction    share of the test rows
    Returns     indices of the training rows and of the test rows, each in order of time

    >>> split_latest([3.0, 1.0, 2.0, 4.0], 0.25)
    (array([1, 2, 0]), array([3]))
    """
    order = np.argsort(np.asarray(times), kind="stable")
    tested = int(np.ceil(fraction * len(order)))
    if not 0 < tested < len(order):
        raise DataError(f"{len(order)} rows cannot be split by time; at least 2 are needed")
    return order[:-tested], order[-tested:]
