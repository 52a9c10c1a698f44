"""Threads meet where they must, and nowhere else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from minicolumn.lower.llvm.schedule.hazards import Access, Hazards

ACCESSES = st.builds(
    lambda owner, low, size, rows: Access((owner, low, low + size), rows),
    st.sampled_from(["arena", "x"]),
    st.integers(0, 6),
    st.integers(1, 3),
    st.sampled_from([0, 0, 64, 100]),
)
Work = tuple[list[Access], list[Access], bool]
WORK = st.tuples(st.lists(ACCESSES, max_size=2), st.lists(ACCESSES, max_size=2), st.booleans())


def overlap(some: list[Access], others: list[Access]) -> bool:
    """Return whether two threads can touch one byte, byte by byte, unless each keeps to its own rows."""
    return any(
        _bytes(a) & _bytes(b) and not (a.rows and a.rows == b.rows and a.region == b.region)
        for a in some
        for b in others
    )


def _bytes(access: Access) -> set:
    owner, low, high = access.region
    return {(owner, k) for k in range(low, high)}


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
    assert not hazards.must_wait(*works[0])


def test_regions_that_only_touch_do_not_clash():
    hazards = Hazards()
    assert not hazards.must_wait([], [Access(("arena", 0, 128))], False)
    assert not hazards.must_wait([Access(("arena", 128, 256))], [], False)
    assert hazards.must_wait([Access(("arena", 127, 128))], [], False)


def test_the_same_rows_of_the_same_memory_need_no_meeting_but_other_rows_do():
    hazards, mine = Hazards(), Access(("arena", 0, 6400), 64)
    assert not hazards.must_wait([], [mine], False)
    assert not hazards.must_wait([mine], [mine], False)
    assert hazards.must_wait([Access(("arena", 0, 6400), 100)], [], False)
