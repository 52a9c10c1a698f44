"""Work in place: all names of an array see it, as in NumPy; a view that would see it cannot be read after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.trace.aliases import VIEWS

X = np.array([[1.0, 2.0, 0.5], [0.3, -1.0, 4.0]])
BACKENDS = ["reference", "native"]


def _two_names(x: Any) -> Any:
    b = x
    b *= 2.0
    return np.sum(x**3) + np.sum(b)


def _every_operator(x: Any) -> Any:
    b = c = x * 1.0
    b += x
    b -= 0.25
    b *= np.cos(x)
    b /= 3.0
    b **= 2
    b **= np.cos(x)
    b %= 2.0
    return c


def _within_a_list(x: Any) -> Any:
    kept = [x, x]
    kept[0] += 1.0
    return kept[1] * x


def _in_a_function(x: Any) -> Any:
    def centre(a: Any) -> None:
        a -= a.mean()

    y = np.exp(x)
    centre(y)
    return np.sum(y**3)


def _copies(x: Any) -> Any:
    same = [np.copy(x), x.copy(), x.astype(float), +x, np.positive(x), np.concatenate([x]), x.flatten()]
    same += [np.where(True, x, 0.0), np.clip(x, None, 9.0), x[[0, 1]], *np.meshgrid(x[0])]
    for copy in same:
        copy *= 3.0
    return [x, *same]


def _taken_after(x: Any) -> Any:
    y = x * 2.0
    y += 1.0
    v = y[0]
    return v * y.T[0, 0]


def _views_that_are_not_read(x: Any) -> Any:
    first = x[0]
    total = np.sum(first)
    _ = x.T.reshape(3, 2)
    x += 1.0
    return total + np.sum(x**2)


def _own_view(x: Any) -> Any:
    flat = np.sin(x).ravel()  # of an array that nobody else can see
    flat *= flat
    return flat


def _numbers(x: Any) -> Any:
    a = x[0, 0]
    b = a
    b += 1.0
    return a * b


def _closed_over(x: Any) -> Any:
    def inner(q: Any) -> Any:
        q *= q
        return np.sum(q * y)

    y = x * 1.0
    slope = mc.grad(inner)(x)
    y += 1.0
    return slope * y


RIGHT = [_two_names, _every_operator, _within_a_list, _in_a_function, _copies, _taken_after]
RIGHT += [_views_that_are_not_read, _own_view, _numbers]


def _leaves(out: Any) -> list[Any]:
    return list(out) if isinstance(out, list | tuple) else [out]


@pytest.mark.parametrize("f", RIGHT)
@pytest.mark.parametrize("backend", BACKENDS)
def test_work_in_place_is_numpys(f: Callable[..., Any], backend: str) -> None:
    expected = _leaves(f(X.copy()))
    # cos and powers of the native backend are its own, within an ulp or two each.
    for found in (mc.compile(f, backend=backend)(X), mc.vjp(f, X)[0]):
        for a, b in zip(_leaves(found), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize("f", [f for f in RIGHT if f is not _copies])
def test_its_derivatives_are_those_of_numpys_function(f: Callable[..., Any]) -> None:
    total = lambda x: np.sum(f(x))  # noqa: E731
    slope = mc.grad(total)(X)
    step = 1e-6
    for place in np.ndindex(*X.shape):
        up, down = X.copy(), X.copy()
        up[place] += step
        down[place] -= step
        difference = (total(up) - total(down)) / (2 * step)
        # Central differences: rounding 1e-16 * 1e2 / 1e-6 and a third derivative of some hundreds * 1e-12.
        np.testing.assert_allclose(slope[place], difference, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(mc.compile(mc.grad(total))(X), slope, rtol=1e-13)


def test_an_inner_derivative_has_arguments_of_its_own() -> None:
    # q is a variable of the derivative: what is done to it is not done to x. d/dq sum(q^2 y) = 2 q y.
    expected = 2.0 * X * X * (X + 1.0)
    np.testing.assert_allclose(_closed_over(X.copy()), expected)
    np.testing.assert_allclose(mc.compile(_closed_over)(X), expected)


def test_the_callers_arrays_are_left_as_they_are() -> None:
    x = X.copy()
    for call in (mc.compile(_two_names), mc.compile(_two_names, backend="reference"), mc.grad(_two_names)):
        call(x)
        np.testing.assert_array_equal(x, X)


def test_a_step_of_a_loop_may_work_in_place() -> None:
    def f(x: Any) -> Any:
        def step(s: Any, row: Any) -> Any:
            before = s
            s += row
            return s, before * row

        return mc.scan(step, x[0] * 1.0, x)

    for found in (mc.compile(f)(X), mc.compile(f, backend="reference")(X)):
        np.testing.assert_allclose(found[0], X[0] + X.sum(0))
        np.testing.assert_allclose(found[1], (X[0] + np.cumsum(X, 0)) * X)


def _base_changed(x: Any) -> Any:
    view = x[0]
    x += 1.0
    return view * 2.0


def _view_changed(x: Any) -> Any:
    view = x.T
    view *= 2.0
    return np.sum(x)


def _view_of_a_view(x: Any) -> Any:
    y = x * 1.0
    inner = y.reshape(-1)[1:]
    inner += 1.0
    return y


def _other_view_changed(x: Any) -> Any:
    a, b = np.split(x, 2)
    a += 1.0
    return b + x


def _an_element_of_a_view(x: Any) -> Any:
    v = x[0]
    x += 1.0
    return v[1]


@pytest.mark.parametrize(
    "f", [_base_changed, _view_changed, _view_of_a_view, _other_view_changed, _an_element_of_a_view]
)
def test_a_view_is_not_read_after_a_change(f: Callable[..., Any]) -> None:
    f(X.copy())  # NumPy does it
    for call in (mc.compile(f), mc.compile(f, backend="reference"), mc.grad(lambda x: np.sum(f(x)))):
        with pytest.raises(mc.TraceError, match=r"shares memory.*np\.copy\(x\)"):
            call(X)


def _outcome(f: Callable[[Any], Any], x: Any) -> Any:
    try:
        return f(x)
    except mc.TraceError as error:
        return error


_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(["reshape"], ((3, 2),)),
    **dict.fromkeys(["swapaxes"], (0, 1)),
    **dict.fromkeys(["moveaxis", "rollaxis"], (1, 0)),
    "expand_dims": (0,),
    "broadcast_to": ((2, 2, 3),),
    "array_split": (2,),
    "split": (2,),
    "vsplit": (2,),
    "hsplit": (3,),
    "dsplit": (2,),
    "sliding_window_view": ((2, 2),),
}


@pytest.mark.parametrize("function", list(VIEWS), ids=lambda f: f.__name__)
def test_views_are_those_of_numpy(function: Any) -> None:
    """Each function that is said to give views gives one in NumPy, and its base cannot be read after."""
    x = np.ones((2, 3, 4)) if function is np.dsplit else X.copy()
    arguments = _ARGUMENTS.get(function.__name__, ())
    plain = function(x, *arguments)
    parts = plain if isinstance(plain, list | tuple) else [plain]
    assert all(np.shares_memory(part, x) for part in parts)

    def changed(x: Any) -> Any:
        out = function(x, *arguments)
        part = out[0] if isinstance(out, list | tuple) else out
        is_itself.append(part is x)
        part *= 2.0
        return x

    is_itself: list[bool] = []
    out = _outcome(mc.compile(changed, backend="reference"), x)
    assert np.array_equal(out, 2.0 * x) if is_itself == [True] else "shares memory" in str(out)


def _examples() -> list[Any]:
    from minicolumn.trace.numpy_map import FUNCTIONS

    return [f for f in FUNCTIONS if f not in VIEWS]


@pytest.mark.parametrize("function", _examples(), ids=lambda f: f.__name__)
def test_no_other_function_gives_a_view(function: Any) -> None:
    """What shares memory with a sole argument in NumPy stands among the views."""
    x = np.ones((2, 2)) if "linalg" in function.__module__ else X.copy()
    try:
        out = function(x)
    except Exception:
        out = None  # it takes more than one array; those make new ones
    parts = out if isinstance(out, list | tuple) else [out]
    assert not any(isinstance(p, np.ndarray) and np.shares_memory(p, x) for p in parts)


def test_dead_views_are_forgotten() -> None:
    groups: list[Any] = []

    def f(x: Any) -> Any:
        total = 0.0
        for _ in range(1000):
            total = total + x[1:2][0, 0]
        groups.append(x.relatives)
        return total

    mc.compile(f, backend="reference")(X)
    assert len(groups[0]) < 100


def test_replacing_nan_in_place_is_refused() -> None:
    with pytest.raises(mc.TraceError, match="copy=False"):
        mc.compile(lambda x: np.nan_to_num(x, copy=False))(X)


def _accumulates(x: Any) -> Any:
    z = np.ones(3)
    y = z * x
    z += 1.0
    return np.sum(y * z)  # 1 x, then 2 of it


def _indexes(x: Any) -> Any:
    rows = np.array([0, 1])
    y = x[rows]
    rows[:] = 2
    return np.sum(y**2)


def _masks(x: Any) -> Any:
    mask = np.array([True, False, False])
    y = np.where(mask, x, 0.0)
    mask[:] = True
    return np.sum(y**2)


def _compares(x: Any) -> Any:
    above = x > 1.5
    y = np.where(above, 3.0 * x, x)
    above[:] = False
    return np.sum(y)


@pytest.mark.parametrize("f", [_accumulates, _indexes, _masks, _compares])
def test_plain_arrays_changed_after_they_were_used(f: Any) -> None:
    x = np.array([1.0, 2.0, 3.0])
    steps = np.eye(3) * 1e-6
    slopes = [(f(x + h) - f(x - h)) / 2e-6 for h in steps]
    for slope in (
        (mc.grad(f), mc.compile(mc.grad(f), backend="reference")) if f is not _compares else [mc.grad(f)]
    ):
        np.testing.assert_allclose(slope(x), slopes, rtol=1e-8)
    np.testing.assert_allclose(mc.grad(lambda x: np.sum(mc.grad(f)(x) * x))(x), mc.hessian(f)(x) @ x + slopes)


@pytest.mark.parametrize(
    "change", [lambda z: z.__iadd__(1.0), lambda z: z.__setitem__(7, 3.0), lambda z: z.sort()]
)
def test_large_arrays_must_stay_as_they_were_used(change: Any) -> None:
    many = np.random.default_rng(0).standard_normal(200_000)

    def f(x: Any) -> Any:
        z = many.copy()
        y = z * x
        change(z)
        return np.sum(y)

    with pytest.raises(mc.TraceError, match=r"\[200000\] was changed in place"):
        mc.grad(f)(2.0)
    _, pull = mc.vjp(lambda x: np.sum(many * x), 2.0)
    assert pull(1.0)[0] == np.sum(many)
    change(many)
    with pytest.raises(mc.TraceError, match="was changed in place"):
        pull(1.0)


def test_where_a_derivative_is_taken_may_change_before_it_is_pulled() -> None:
    x = np.array([1.0, 2.0])
    _, pull = mc.vjp(lambda x: np.sum(x**2), x)
    x[:] = 5.0
    np.testing.assert_array_equal(pull(1.0)[0], [2.0, 4.0])


@pytest.mark.parametrize(
    "write",
    [
        lambda z, x: z.__setitem__(0, x[0]),
        lambda z, x: z.__setitem__(slice(None), x),
        lambda z, x: z.__iadd__(x),
        lambda z, x: z[1:].__imul__(x[1:]),
        lambda z, x: z.fill(x[0]),
        lambda z, x: z.put([0], x[0]),
        lambda z, x: z.flat.__setitem__(0, x[0]),
        lambda z, x: np.add(z, x, out=z),
        lambda z, x: np.add.at(z, [0, 1], x[:2]),
        lambda z, x: np.copyto(z, x),
        lambda z, x: np.put_along_axis(z, np.array([0]), x[:1], 0),
        lambda z, x: np.fill_diagonal(z[:, None], x),
    ],
)
def test_traced_values_are_not_written_into_plain_arrays(write: Any) -> None:
    def f(x: Any) -> Any:
        z = np.zeros(3)
        write(z, x)
        return np.sum(z * x)

    for run in (mc.grad(f), mc.compile(f, backend="reference")):
        with pytest.raises(mc.TraceError, match=r"np\.stack|np\.where|x = x \+ y|np\.concatenate"):
            run(np.array([1.0, 2.0, 3.0]))
