"""Optimizers against textbook loops, and the laws that hold for all of them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from autograd.misc import optimizers as autograd_optimizers

from minicolumn import optim, random, tree

STEPS = 30
START = random.normal(random.key(1), (4, 3), np.float64)
CURVES = np.array([[1.0, 10.0, 0.1]])  # of the quadratic, a column each


def quadratic_slope(p: np.ndarray) -> np.ndarray:
    return CURVES * p


def run(optimizer: optim.Optimizer, params, slope, steps: int, rates=None):
    """Take steps and return every point on the way."""
    moments, points = optimizer.start(params), [params]
    for step in range(steps):
        rate = None if rates is None else rates[step]
        updates, moments = optimizer.step(slope(params), moments, params, rate)
        params = optim.apply_updates(params, updates)
        points.append(params)
    return points


# Textbook loops, one a recipe, as the papers write them: (p, settings) -> points. --------------------------


def textbook_sgd(p, learning_rate, momentum, nesterov, weight_decay):
    v = 0
    for _ in range(STEPS):
        g = quadratic_slope(p) + weight_decay * p
        v = momentum * v + g
        p = p - learning_rate * (g + momentum * v if nesterov else v)
        yield p


def textbook_rmsprop(p, learning_rate, decay, momentum, eps, weight_decay):
    s = v = 0
    for _ in range(STEPS):
        g = quadratic_slope(p) + weight_decay * p
        s = decay * s + (1 - decay) * g**2
        v = momentum * v + g / (np.sqrt(s) + eps)
        p = p - learning_rate * v
        yield p


def textbook_adagrad(p, learning_rate, initial, eps, weight_decay):
    s = initial
    for _ in range(STEPS):
        g = quadratic_slope(p) + weight_decay * p
        s = s + g**2
        p = p - learning_rate * g / (np.sqrt(s) + eps)
        yield p


def textbook_adam(p, learning_rate, b1, b2, eps, weight_decay):
    m = v = 0
    for t in range(1, STEPS + 1):
        g = quadratic_slope(p) + weight_decay * p
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        p = p - learning_rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        yield p


def textbook_adamw(p, learning_rate, b1, b2, eps, weight_decay):
    m = v = 0
    for t in range(1, STEPS + 1):
        g = quadratic_slope(p)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        p = p - learning_rate * ((m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps) + weight_decay * p)
        yield p


def textbook_nadam(p, learning_rate, b1, b2, eps, weight_decay):
    m = v = 0
    for t in range(1, STEPS + 1):
        g = quadratic_slope(p) + weight_decay * p
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        ahead = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
        p = p - learning_rate * ahead / (np.sqrt(v / (1 - b2**t)) + eps)
        yield p


def textbook_adamax(p, learning_rate, b1, b2, eps, weight_decay):
    m = u = 0
    for t in range(1, STEPS + 1):
        g = quadratic_slope(p) + weight_decay * p
        m, u = b1 * m + (1 - b1) * g, np.maximum(b2 * u, abs(g))
        p = p - learning_rate / (1 - b1**t) * m / (u + eps)
        yield p


def textbook_adadelta(p, learning_rate, decay, eps, weight_decay):
    s = u = 0
    for _ in range(STEPS):
        g = quadratic_slope(p) + weight_decay * p
        s = decay * s + (1 - decay) * g**2
        d = np.sqrt(u + eps) / np.sqrt(s + eps) * g
        u = decay * u + (1 - decay) * d**2
        p = p - learning_rate * d
        yield p


def textbook_amsgrad(p, learning_rate, b1, b2, eps, weight_decay):
    m = v = w = 0
    for t in range(1, STEPS + 1):
        g = quadratic_slope(p) + weight_decay * p
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w = np.maximum(w, v)
        p = p - learning_rate * (m / (1 - b1**t)) / (np.sqrt(w / (1 - b2**t)) + eps)
        yield p


def textbook_radam(p, learning_rate, b1, b2, eps, weight_decay):
    m = v = 0
    most = 2 / (1 - b2) - 1
    for t in range(1, STEPS + 1):
        g = quadratic_slope(p) + weight_decay * p
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        d, n = m / (1 - b1**t), most - 2 * t * b2**t / (1 - b2**t)
        if n >= 5:
            r = math.sqrt((n - 4) * (n - 2) * most / ((most - 4) * (most - 2) * n))
            d = r * d / (np.sqrt(v / (1 - b2**t)) + eps)
        p = p - learning_rate * d
        yield p


def textbook_lion(p, learning_rate, b1, b2, weight_decay):
    m = 0
    for _ in range(STEPS):
        g = quadratic_slope(p)
        p, m = p - learning_rate * (np.sign(b1 * m + (1 - b1) * g) + weight_decay * p), b2 * m + (1 - b2) * g
        yield p


def textbook_rprop(p, learning_rate, shrink, grow, least, most, weight_decay):
    size, old = np.full_like(p, learning_rate), np.zeros_like(p)
    for _ in range(STEPS):
        p = p.copy()
        g = quadratic_slope(p) + weight_decay * p
        for place in np.ndindex(p.shape):
            if g[place] * old[place] > 0:
                size[place] = min(size[place] * grow, learning_rate * most)
            elif g[place] * old[place] < 0:
                size[place] = max(size[place] * shrink, learning_rate * least)
                g[place] = 0
            p[place] -= size[place] * np.sign(g[place])
        old = g
        yield p


def textbook_muon(p, learning_rate, momentum, nesterov, b1, b2, eps, weight_decay, exclude):
    v = 0
    for _ in range(STEPS):
        g = quadratic_slope(p)
        v = momentum * v + g
        d = g + momentum * v if nesterov else v
        # The iteration is a polynomial on the singular values, which leaves the vectors as they are.
        left, values, right = np.linalg.svd(d / (np.linalg.norm(d) + eps), full_matrices=False)
        for _ in range(5):
            values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
        d = 0.2 * math.sqrt(max(p.shape)) * (left * values) @ right
        p = p - learning_rate * (d + weight_decay * p)
        yield p


def textbook_schedule_free_adamw(p, learning_rate, b1, b2, eps, weight_decay):
    x = y = z = p
    v = 0
    for t in range(1, STEPS + 1):
        g = quadratic_slope(y)
        v = b2 * v + (1 - b2) * g**2
        z = z - learning_rate * (g / (np.sqrt(v / (1 - b2**t)) + eps) + weight_decay * y)
        x = (1 - 1 / t) * x + z / t  # at a constant rate all weigh the same
        y = (1 - b1) * z + b1 * x
        yield y


TEXTBOOK = {
    "sgd": (textbook_sgd, [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}]),
    "rmsprop": (textbook_rmsprop, [{}, {"decay": 0.99, "momentum": 0.5, "weight_decay": 0.1}]),
    "adagrad": (textbook_adagrad, [{}, {"initial": 0.0, "weight_decay": 0.1}]),
    "adam": (
        textbook_adam,
        [{}, {"b1": 0.0, "b2": 0.0}, {"b1": 0.5, "b2": 0.9, "eps": 0.1, "weight_decay": 0.1}],
    ),
    "adamw": (textbook_adamw, [{}, {"weight_decay": 0.3}]),
    "nadam": (textbook_nadam, [{}, {"weight_decay": 0.1}]),
    "adamax": (textbook_adamax, [{}, {"weight_decay": 0.1}]),
    "adadelta": (textbook_adadelta, [{}, {"decay": 0.5, "eps": 1e-3, "weight_decay": 0.1}]),
    "amsgrad": (textbook_amsgrad, [{}, {"b1": 0.5, "b2": 0.5, "weight_decay": 0.1}]),
    # b2 = 0.5 stands for too few gradients ever to be trusted.
    "radam": (textbook_radam, [{}, {"b2": 0.9, "weight_decay": 0.1}, {"b2": 0.5}]),
    "lion": (textbook_lion, [{}, {"b1": 0.5, "b2": 0.5, "weight_decay": 0.3}]),
    "rprop": (textbook_rprop, [{}, {"shrink": 0.25, "grow": 2.0, "least": 0.1, "most": 3.0}]),
    "muon": (textbook_muon, [{}, {"momentum": 0.5, "nesterov": False, "weight_decay": 0.3}]),
    "schedule_free_adamw": (textbook_schedule_free_adamw, [{}, {"b1": 0.5, "weight_decay": 0.1}]),
}
NAMES = sorted(optim.OPTIMIZERS)
ALL = [(name, settings) for name, (_, listed) in TEXTBOOK.items() for settings in listed]


def test_every_optimizer_has_a_textbook_loop():
    public = {
        kind for kind in vars(optim).values() if isinstance(kind, type) and issubclass(kind, optim.Optimizer)
    }
    assert public - {optim.Optimizer, optim.Averaged, optim.Clipped, optim.Layerwise} == set(
        optim.OPTIMIZERS.values()
    )
    assert set(TEXTBOOK) == set(optim.OPTIMIZERS)


@pytest.mark.parametrize(("name", "settings"), ALL)
def test_path_is_the_textbooks(name, settings):
    optimizer = optim.optimizer_by_name(name, learning_rate=0.05, **settings)
    found = np.array(run(optimizer, START, quadratic_slope, STEPS)[1:])
    expected = np.array(list(TEXTBOOK[name][0](START, **dataclasses.asdict(optimizer))))
    # Thirty steps of a dozen roundings each, which the steep column enlarges a little.
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_adam_is_autograds_adam():
    found = run(optim.Adam(0.05, eps=1e-3), START, quadratic_slope, STEPS)[-1]
    expected = autograd_optimizers.adam(
        lambda p, _: quadratic_slope(p), START.copy(), num_iters=STEPS, step_size=0.05, eps=1e-3
    )
    np.testing.assert_allclose(found, expected, rtol=1e-11)  # as above


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("momentum", [False, True])
def test_parabola_and_rosenbrock_descend(name, momentum):
    settings = {"momentum": 0.9} if momentum and name in ("sgd", "rmsprop") else {}
    rate = {"sgd": 5e-4, "adagrad": 0.3, "adadelta": 1.0}.get(name, 0.01)
    optimizer = optim.optimizer_by_name(name, learning_rate=rate, **settings)
    parabola = run(optimizer, np.array([3.0]), lambda p: 2 * p, 2_000)[-1]
    assert abs(parabola[0]) < 0.5

    def slope(p):
        x, y = p
        return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])

    x, y = run(optimizer, np.array([-1.0, 1.0]), slope, 2_000)[-1]
    assert (1 - x) ** 2 + 100 * (y - x * x) ** 2 < 2  # from 4, around the bend of the valley


@pytest.mark.parametrize(("name", "settings"), ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_structure_stay(name, settings, dtype):
    params = {
        "0": {"weight": START.astype(dtype), "bias": np.ones(3, dtype)},
        "1": {},
        "2": (np.ones((), dtype),),
    }
    optimizer = optim.optimizer_by_name(
        name, **{k: np.float64(v) if type(v) is float else v for k, v in settings.items()}
    )
    moments = before = optimizer.start(params)
    for rate in (None, 0.1, np.float64(0.1), np.float32(0.1), np.array(0.1)):
        updates, moments = optimizer.step(params, moments, params, rate)
        params = optim.apply_updates(params, updates)
        for values in (params, updates):
            assert {leaf.dtype for leaf in tree.flatten(values)[0]} == {np.dtype(dtype)}
    assert tree.flatten(moments)[1] == tree.flatten(before)[1]
    for (path, old), (_, new) in zip(tree.named_leaves(before), tree.named_leaves(moments), strict=True):
        assert (old.dtype, old.shape) == (new.dtype, new.shape), path
    assert int(moments["count"]) == 5


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_steps_as_its_leaves_do(name):
    optimizer = optim.optimizer_by_name(name)
    params = {"a": {"weight": START}, "b": {"weight": 2 * START}}
    found = run(optimizer, params, lambda p: tree.map_leaves(quadratic_slope, p), 3)[-1]
    for part, leaf in (("a", START), ("b", 2 * START)):
        np.testing.assert_array_equal(found[part]["weight"], run(optimizer, leaf, quadratic_slope, 3)[-1])


@pytest.mark.parametrize("name", NAMES)
def test_only_weights_decay(name):
    params = {"weight": np.ones(2), "bias": np.ones(2), "scale": np.ones(2)}
    flat = tree.map_leaves(np.zeros_like, params)
    end = run(optim.optimizer_by_name(name, weight_decay=0.5), params, lambda p: flat, 2)[-1]
    assert (end["weight"] < 1).all()
    assert (end["bias"] == 1).all()
    assert (end["scale"] == 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_given_rate_takes_the_records_place(name):
    slow, fast = (optim.optimizer_by_name(name, learning_rate=rate) for rate in (0.01, 0.05))
    np.testing.assert_array_equal(
        run(slow, START, quadratic_slope, 5, rates=[0.05] * 5), run(fast, START, quadratic_slope, 5)
    )
    np.testing.assert_array_equal(run(slow, START, quadratic_slope, 2, rates=[0.0] * 2)[-1], START)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_train_is_fine(name):
    optimizer = optim.optimizer_by_name(name)
    updates, moments = optimizer.step({"0": {}}, optimizer.start({"0": {}}), {"0": {}})
    assert updates == {"0": {}}
    assert moments["count"] == 1
    assert optimizer.weights({"0": {}}, moments) == {"0": {}}


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"sgd"}))
def test_zero_gradients_move_nothing(name):
    points = run(optim.optimizer_by_name(name, weight_decay=0.0), START, np.zeros_like, 3)
    np.testing.assert_array_equal(points[-1], START)


def test_bias_correction_keeps_its_digits_in_float32():
    # The first step of Adam is the learning rate itself; 1 - 0.999 taken in float32 would be off by 2e-5.
    for dtype, tolerance in ((np.float32, 3e-7), (np.float64, 1e-15)):
        first = run(optim.Adam(1.0, eps=0.0), np.zeros(3, dtype), lambda p: np.full_like(p, 7.0), 1)[-1]
        np.testing.assert_allclose(first, -1.0, rtol=tolerance)


def test_trees_that_differ_are_refused():
    optimizer = optim.Adam()
    with pytest.raises(ValueError, match=r"gradients are .*expected the parameters' structure"):
        optimizer.step({"b": START}, optimizer.start({"a": START}), {"a": START})


@pytest.mark.parametrize(("name", "settings"), ALL)
def test_traced_steps_give_what_plain_steps_give(name, settings):
    import minicolumn as mc

    optimizer = optim.optimizer_by_name(name, **settings)
    params = {"weight": START.astype(np.float32), "bias": np.ones(3, np.float32)}
    slope = tree.map_leaves(lambda leaf: leaf * np.float32(0.3), params)
    step = mc.compile(optimizer.step)
    plain = traced = (params, optimizer.start(params))
    for rate in np.array([0.1, 0.05, 0.2], np.float32):
        pairs = []
        for take, (point, moments) in ((optimizer.step, plain), (step, traced)):
            updates, moments = take(slope, moments, point, rate)
            pairs.append((optim.apply_updates(point, updates), moments))
        plain, traced = pairs
    for (path, expected), (_, found) in zip(tree.named_leaves(plain), tree.named_leaves(traced), strict=True):
        # Lowerings may fuse a product and a sum into one rounding: a few units of the last place.
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7, err_msg=path)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("name", NAMES)
def test_steps_scan(name):
    import minicolumn as mc

    optimizer = optim.optimizer_by_name(name, weight_decay=0.1)
    params = {"weight": START}

    def step(state, rate):
        params, moments = state
        grads = mc.grad(lambda params: np.sum(0.5 * CURVES * params["weight"] ** 2))(params)
        updates, moments = optimizer.step(grads, moments, params, rate)
        return (optim.apply_updates(params, updates), moments), params["weight"]

    rates = np.linspace(0.05, 0.01, 6)
    train = mc.compile(lambda params, moments, rates: mc.scan(step, (params, moments), rates))
    (last, moments), path = train(params, optimizer.start(params), rates)
    expected = run(optimizer, params, lambda p: {"weight": CURVES * p["weight"]}, 6, rates)
    np.testing.assert_allclose([*path, last["weight"]], [p["weight"] for p in expected], rtol=1e-12)
    assert int(moments["count"]) == 6
