"""Random and mutated messages: the short form of long_messages.py."""

from __future__ import annotations

from long_messages import UNKIND, campaign
from message_samples import vocabulary
from page_samples import CountingRoom, counting_session


def test_no_message_harms_a_session() -> None:
    kinds = campaign(counting_session, vocabulary({"counting": CountingRoom}, UNKIND), 5_000, seed=0)
    assert kinds["error"] > 1_000
    assert kinds["state"] > 500
    assert kinds["tick"] > 0
    assert CountingRoom.alive <= 1
