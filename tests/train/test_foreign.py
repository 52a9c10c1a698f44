"""Who comes from another library is told what a name is called here; every hint leads somewhere."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.train.foreign import HOOKS, KEYWORDS

X, Y = np.zeros((4, 1)), np.zeros(4)


@pytest.mark.parametrize("name", KEYWORDS)
def test_a_foreign_keyword_gets_a_hint(name: str) -> None:
    given: Any = {name: 1}
    with pytest.raises(TypeError, match=re.escape(KEYWORDS[name])) as caught:
        mc.fit(mc.nn.Dense(1), X, Y, loss="squared_error", **given)
    assert len(str(caught.value)) < 200
    meant = re.search(r"here it is (\w+)", KEYWORDS[name])
    if meant:
        assert meant[1] in inspect.signature(mc.fit).parameters


@pytest.mark.parametrize("name", [*HOOKS, "on_epochs", "on_something"])
def test_a_hook_that_nobody_calls_is_refused(name: str) -> None:
    kind = type("Mine", (mc.Callback,), {name: lambda self, *_: None})
    with pytest.raises(mc.DataError, match=rf"fit: Mine\.{name} is called by nobody") as caught:
        mc.fit(mc.nn.Dense(1), X, Y, loss="squared_error", callbacks=[kind()])
    if HOOKS.get(name):
        assert str(caught.value).endswith(HOOKS[name])
        assert hasattr(mc.Callback, HOOKS[name])
    if name == "on_epochs":
        assert "did you mean 'on_epoch'" in str(caught.value)
