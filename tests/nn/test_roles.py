"""Roles of parameters: what penalties, weight decay, constraints and optimizers go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn, optim
from minicolumn.nn.layer import Deterministic, Param
from minicolumn.nn.roles import PENALIZED, called, with_statistics
from minicolumn.tree import named_leaves

ROLE = {"kernel": "weight", "offset": "bias", "words": "table", "seen": "statistic", "mean": "weight"}


@dataclass(frozen=True, repr=False)
class Unusual(Deterministic):
    """A layer of one's own, whose names say nothing, or something else than they say elsewhere."""

    units: int

    def output_shape(self, input_shape: Any) -> Any:
        return (self.units,)

    def declare(self, input_shape: Any) -> Any:
        shape = (input_shape[-1], self.units)
        return {
            "kernel": Param(shape, "ones", "weight"),
            "offset": Param((self.units,), "ones", "bias"),
            "words": Param(shape, "ones", "table"),
            "seen": Param((self.units,), "ones", "statistic"),
            "mean": Param(shape, "ones", "weight"),
        }

    def apply(self, params: Any, x: Any, *, key: Any = None, training: bool = False) -> Any:
        unused = 0.0 * np.sum(params["words"]) + 0.0 * np.sum(params["seen"])
        return 0.0 * (x @ (params["kernel"] + params["mean"]) + params["offset"]) + unused

    def apply_training(self, params: Any, x: Any, key: Any = None) -> Any:
        return self.apply(params, x), {**params, "seen": params["seen"] + 1.0}

    @property
    def observes(self) -> bool:
        return True


NET = nn.Sequential(Unusual(2))
X, Y = np.ones((8, 3), np.float32), np.zeros((8, 2), np.float32)


def trained(**settings: Any) -> Any:
    given: dict[str, Any] = {"loss": "squared_error", "batch_size": 8, "epochs": 2, "dtype": np.float64}
    return mc.fit(NET, X, Y, **given | settings).params["0"]


def test_roles_are_told_by_path() -> None:
    assert NET.roles((3,)) == {f"0.{name}": role for name, role in ROLE.items()}
    assert nn.Sequential(nn.BatchNorm(), nn.Dense(2), nn.PReLU()).roles((3,)) == {
        "0.scale": "scale",
        "0.bias": "bias",
        "0.mean": "statistic",
        "0.variance": "statistic",
        "1.weight": "weight",
        "1.bias": "bias",
        "2.slope": "slope",
    }
    assert nn.ColumnEmbedding(((0, 3),)).roles((2,)) == {"0": "table"}


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize(
    "optimizer",
    [
        optim.SGD(0.1, weight_decay=0.5),
        optim.Clipped(optim.AdamW(0.1, weight_decay=0.5), norm=1.0),
        optim.ScheduleFreeAdamW(0.1, weight_decay=0.5),
        optim.Averaged(optim.Muon(0.1, weight_decay=0.5)),
    ],
    ids=lambda o: type(o).__name__,
)
def test_weight_decay_goes_by_role(optimizer: Any, backend: str) -> None:
    """The loss has no slope, so that only decay moves weights."""
    found = trained(optimizer=optimizer, backend=backend)
    for name, role in ROLE.items():
        values = np.asarray(found[name])
        if role == "statistic":
            np.testing.assert_array_equal(values, 3.0)  # 1, and what two steps noted down
        elif role in PENALIZED:
            assert (values < 1.0).all(), name
        else:
            np.testing.assert_array_equal(values, 1.0)


@pytest.mark.parametrize("penalty", [nn.L1(0.1), nn.L2(0.1), nn.ElasticNet(0.1, 0.1), nn.PerRow(nn.L2(0.8))])
def test_penalties_go_by_role(penalty: Any) -> None:
    found = trained(optimizer=optim.SGD(0.1), regularizer=penalty)
    for name, role in ROLE.items():
        assert (np.asarray(found[name]) < 1.0).all() == (role in PENALIZED), name


def test_constraints_go_by_role() -> None:
    found = trained(optimizer=optim.SGD(0.1), constraint=nn.MaxNorm(0.5))
    for name, role in ROLE.items():
        shrunk = (np.asarray(found[name]) < 1.0).all()
        assert shrunk == (role == "weight"), name
    tables = {"0": {"0": np.full((4, 4), 3.0), "weight": np.full((4, 4), 3.0)}}
    alone = nn.MaxNorm(1.0)(tables)  # without roles, only names that say so
    assert alone["0"]["0"] is tables["0"]["0"]
    assert (alone["0"]["weight"] < 3.0).all()


def test_muon_leaves_tables_to_adam() -> None:
    layer = nn.ColumnEmbedding(((0, 3),), dim=3)
    params, roles = layer.init(0, (1,), np.float64), layer.roles((1,))
    slope = {"0": np.diag([1.0, 10.0, 100.0])}
    muon, adam = optim.Muon(0.1), optim.AdamW(0.1)
    found, expected = (o.step(slope, o.start(params, roles), params, None, roles)[0] for o in (muon, adam))
    np.testing.assert_allclose(found["0"], expected["0"], rtol=1e-12)
    matrix = muon.step(slope, muon.start(params), params)[0]
    assert not np.allclose(matrix["0"], expected["0"])


def test_what_is_ones_own_is_called_with_the_parameters_alone() -> None:
    assert called(lambda params: params, 3, {"a": "bias"}) == 3
    two_sided = {"seen": 1, "kernel": 2}, {"seen": 3, "kernel": 4}
    assert with_statistics(*two_sided, {"seen": "statistic"}) == {"seen": 3, "kernel": 2}


def test_an_unknown_role_is_answered_with_the_nearest() -> None:
    with pytest.raises(mc.DataError, match="Param: unknown role 'wieght'; did you mean 'weight'"):
        Param((3,), role="wieght")  # type: ignore[arg-type]


def test_every_parameter_of_the_package_has_a_role_of_its_own_or_a_name_that_says_it(case: Any) -> None:
    declared = case.layer.roles(case.input_shape)
    assert [path for path, _ in named_leaves(case.layer.init(0, case.input_shape))] == list(declared)
    assert set(declared.values()) <= set(nn.ROLES)
