"""Splitting rows: scikit-learn's own split where it can make one, and a whole partition everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from minicolumn.errors import DataError
from minicolumn.tables import split_rows


def test_the_default_split_is_that_of_scikit_learn() -> None:
    y = np.random.default_rng(0).integers(0, 3, 200)
    ours = split_rows(y, 200, 0.25, 0)
    theirs = train_test_split(np.arange(200), test_size=0.25, random_state=0, stratify=y)
    for mine, expected in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, expected)
    ours = split_rows(None, 200, 0.25, 0)
    theirs = train_test_split(np.arange(200), test_size=0.25, random_state=0)
    np.testing.assert_array_equal(ours[1], theirs[1])


@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=60),
    st.floats(0.05, 0.95),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_it_is_that_of_scikit_learn_wherever_there_is_one(
    codes: list[int], fraction: float, seed: int, stratify: bool
) -> None:
    y = np.array(codes) if stratify else None
    try:
        theirs = train_test_split(np.arange(len(codes)), test_size=fraction, random_state=seed, stratify=y)
    except ValueError:  # a class of one row, or fewer rows in a part than classes
        return
    for mine, expected in zip(split_rows(y, len(codes), fraction, seed), theirs, strict=True):
        np.testing.assert_array_equal(mine, expected)


@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=60),
    st.floats(0.05, 0.95),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_every_row_is_in_one_part(codes: list[int], fraction: float, seed: int, stratify: bool) -> None:
    y = np.array(codes)
    try:
        train, test = split_rows(y if stratify else None, len(y), fraction, seed)
    except DataError:
        assert np.ceil(fraction * len(y)) >= 1  # a part would be empty
        return
    assert sorted([*train, *test]) == list(range(len(y)))
    assert len(train)
    assert len(test)
    if stratify and np.bincount(y).max() > 1:
        lonely = np.flatnonzero(np.bincount(y)[y] == 1)
        assert set(lonely) <= set(train)


@pytest.mark.parametrize(("rows", "fraction"), [(1, 0.5), (0, 0.5), (4, 0.0), (4, 1.0), (2, 0.9)])
def test_impossible_splits_are_refused(rows: int, fraction: float) -> None:
    with pytest.raises(DataError, match=rf"\b{rows} rows?\b|{fraction}"):
        split_rows(None, rows, fraction, 0)


def test_codes_must_match_the_rows() -> None:
    with pytest.raises(DataError, match="shape"):
        split_rows([0, 1, 0], 4, 0.5, 0)
