"""All sides do the same work, and one that does not is found out."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from minicolumn.bench import limit, ours, prediction, session, startup, training
from minicolumn.bench.sides import PEERS, Side, missing, peer_sides, present
from minicolumn.bench.timing import Comparison, SideTimes
from minicolumn.bench.workloads import WORKLOADS, Problem, Workload, workload_by_name
from minicolumn.errors import DataError
from minicolumn.nn.losses import loss_by_name

SMALL = Workload("small", 5, (6, 4, 3), "relu", "softmax_cross_entropy", 8, "adam", 1e-2, 32)
NUMBERS = Workload("numbers", 2, (4, 2, 1), "tanh", "squared_error", 10, "sgd", 0.03, 40)


@pytest.mark.parametrize("workload", [SMALL, NUMBERS], ids=lambda w: w.name)
def test_the_problem_is_a_function_of_its_seed_and_covers_the_rows(workload: Workload) -> None:
    steps = 2 * workload.rows // workload.batch
    one, two = Problem(workload, steps), Problem(workload, steps)
    assert np.array_equal(one.X, two.X)
    assert np.array_equal(one.order, two.order)
    assert (np.bincount(one.order.ravel()) == 2).all()


@pytest.mark.parametrize("workload", [SMALL, NUMBERS], ids=lambda w: w.name)
def test_our_side_is_the_plain_loss_at_the_first_step(workload: Workload) -> None:
    problem = Problem(workload, 3)
    rows, loss = problem.order[0], loss_by_name(workload.loss).function
    net = ours.network(workload)
    expected = loss(net.apply(ours.weights(net, problem), problem.X[rows]), problem.Y[rows])
    found = ours.losses(problem)
    assert found.shape == (3,)
    # A mean of few float32 terms of size 1, added in another order.
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)


@pytest.mark.oracles
@pytest.mark.parametrize("workload", [SMALL, NUMBERS], ids=lambda w: w.name)
@pytest.mark.parametrize("peer", ["JAX", "PyTorch"])
def test_losses_agree_with_peers(workload: Workload, peer: str) -> None:
    if peer not in present():
        pytest.skip(f"{PEERS[peer]} is not installed")
    apart = training.agreement(workload, [peer])[peer]
    assert apart is not None
    assert apart <= training.TOLERANCE


def test_another_training_is_found_out() -> None:
    right = ours.losses(Problem(replace(SMALL, dropout=0.0), 20))
    for wrong, agrees in ((right, True), (right * 1.01, False), (right * np.nan, False)):
        apart = training.agreement(SMALL, ["JAX"], lambda peers, problem, wrong=wrong: {"JAX": wrong})
        found = training.verdicts(apart, ["minicolumn", "JAX scan", "scikit-learn"])
        assert found == {"JAX scan": agrees, "minicolumn": agrees}
        json.dumps(apart, allow_nan=False)


@pytest.mark.parametrize("rows", [1, 12])
def test_predictions_of_all_sides_here_agree(rows: int) -> None:
    problem = Problem(prediction.WORKLOAD, 1)
    X = np.random.default_rng(0).standard_normal((rows, 54), np.float32)
    # scikit-learn is always here; the others where they are installed.
    sides = [*ours.prediction(problem, X, 2), *peer_sides(present(), "prediction", problem, X, 2)]
    apart = prediction.distances(sides)
    assert all(prediction.verdicts(apart).values()), apart


def test_the_predictor_takes_part_for_one_row_only() -> None:
    problem = Problem(prediction.WORKLOAD, 1)
    names = {rows: [s.name for s in ours.prediction(problem, problem.X[:rows], 1)] for rows in (1, 2)}
    assert names == {1: ["minicolumn predict", "minicolumn predictor"], 2: ["minicolumn predict"]}


def test_an_answer_for_one_row_does_not_pass_for_many() -> None:
    def side(answer: Any) -> Side:
        return Side("other", lambda: answer)

    own = np.full((4, 3), 1 / 3, np.float32)
    for answer, agrees in ((own, True), (own[0], False), (own + 1e-3, False), (own * np.nan, False)):
        apart = prediction.distances([side(own), side(answer)])
        assert prediction.verdicts(apart) == {"other": agrees}


def test_flops_are_those_of_the_products() -> None:
    # Forward and to the weights for both layers, to the inputs for the second one only.
    work = replace(SMALL, features=3, widths=(5, 2), batch=7)
    assert work.flops == 2 * 7 * (2 * 3 * 5 + 3 * 5 * 2)


def test_the_workloads_are_those_of_the_design() -> None:
    assert {name: (w.features, *w.widths, w.batch) for name, w in WORKLOADS.items()} == {
        "playground": (2, 4, 2, 1, 10),
        "tabular": (54, 128, 64, 7, 256),
        "mnist": (784, 300, 100, 10, 128),
        "wide": (1024, 2048, 2048, 10, 512),
    }
    assert all(w.steps >= w.eager_steps >= 1 for w in WORKLOADS.values())


def test_unknown_names_get_a_hint() -> None:
    with pytest.raises(DataError, match="did you mean 'tabular'"):
        workload_by_name("tabluar")
    with pytest.raises(DataError, match="did you mean 'startup'"):
        session.BenchSettings(("start-up",))


def test_what_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("jax", "torch", "onnx") else find(name)
    )
    assert {"jax", "torch", "onnx"} <= set(missing())
    assert not {"JAX", "PyTorch", "ONNX Runtime"} & set(present())
    assert "scikit-learn" in present()


def test_limits_are_positive_and_those_of_several_findings_are_the_highest() -> None:
    found = limit.measure(1, repeats=1, iterations=10_000, copied=1 << 20)
    assert all(value > 0 for value in found.values())
    assert session._raised({"flops": 1.0}, {"flops": 2.0}) == {"flops": 2.0}


def test_the_peak_is_counted_from_what_is_computed() -> None:
    # sums = sums / 2 + 1 from k: after n turns, 2 + (k - 2) / 2^n each; their total says that all turns ran.
    peak = limit.Peak(limit.host_target(), iterations=3)
    peak.call(0)
    expected = sum(2 + (k - 2) / 8 for k in range(limit.SUMS))
    assert peak.total.tolist() == pytest.approx([expected] * len(peak.total))
    assert peak.flops == 2 * 3 * limit.SUMS * len(peak.total)


def test_results_are_strict_json() -> None:
    sides = [Side("minicolumn", lambda: None), Side("other", lambda: None, note="x")]
    found = Comparison(tuple(SideTimes(side, (1.0, 3.0, 2.0)) for side in sides), (1.0, 1.05), 2, True)
    made = json.loads(json.dumps(session.as_json(found, {"other": False}), allow_nan=False))
    assert made["sides"]["other"] == {
        "best": 1.0, "median": 2.0, "rounds": 3, "units_a_turn": 1, "agrees": False, "note": "x",
    }  # fmt: skip
    assert made["sides"]["minicolumn"]["agrees"] is None


def test_startup_is_measured_in_fresh_processes() -> None:
    imports = startup.import_times(1, [], lambda what: None)
    assert set(imports) == {"numpy", "minicolumn"}
    calls = startup.first_calls("playground", 1, [], lambda what: None)
    assert set(calls) == {"cold", "warm", "parts"}
    assert {"trace", "passes", "llvm"} <= set(calls["parts"])
    assert all(seconds > 0 for seconds in calls["parts"].values())
