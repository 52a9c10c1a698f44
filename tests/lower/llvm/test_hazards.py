"""Threads meet where they must, and nowhere else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from minicolumn.lower.llvm.hazards import Hazards, Region

REGIONS = st.builds(
    lambda owner, low, size: (owner, low, low + size),
    st.sampled_from(["arena", "x"]),
    st.integers(0, 6),
    st.integers(1, 3),
)
Work = tuple[list[Region], list[Region], bool]
WORK = st.tuples(st.lists(REGIONS, max_size=2), st.lists(REGIONS, max_size=2), st.booleans())


def overlap(some: list[Region], others: list[Region]) -> bool:
    """Return whether two lists share a byte, byte by byte."""
    bytes_of = [{(o, k) for o, low, high in regions for k in range(low, high)} for regions in (some, others)]
    return bool(bytes_of[0] & bytes_of[1])


def clash(a: Work, b: Work) -> bool:
    """Return whether threads could get in each other's way."""
    shared = overlap(a[1], b[1]) or overlap(a[0], b[1]) or overlap(a[1], b[0])
    return shared and not (a[2] and b[2])


@given(st.lists(WORK, max_size=8))
def test_between_work_that_clashes_all_meet_and_only_there(works: list[Work]):
    hazards, since_meeting = Hazards(), []
    for work in works:
        expected = any(clash(before, work) for before in since_meeting)
        assert hazards.must_wait(*work) == expected
        since_meeting = [work] if expected else [*since_meeting, work]


@given(st.lists(WORK, min_size=1, max_size=4))
def test_after_a_meeting_nothing_is_pending(works: list[Work]):
    hazards = Hazards()
    for work in works:
        hazards.must_wait(*work)
    hazards.met()
    assert not hazards.pending
    assert not hazards.must_wait(*works[0])


def test_regions_that_only_touch_do_not_clash():
    hazards = Hazards()
    assert not hazards.must_wait([], [("arena", 0, 128)], False)
    assert not hazards.must_wait([("arena", 128, 256)], [], False)
    assert hazards.must_wait([("arena", 127, 128)], [], False)
