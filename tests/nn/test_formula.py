"""Formulas: what they mean beside Python's own arithmetic, their text, and what is refused."""

from __future__ import annotations

import functools
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn import nn
from minicolumn.errors import DataError, ModelFileError, ShapeError
from minicolumn.nn.extent import extent
from minicolumn.nn.formula import CONSTANTS, FUNCTIONS, LONGEST, OF_SEVERAL, parse_formula

COLUMNS = {"x1": np.array([-2.0, -0.5, 0.0, 1.0, 3.0]), "x2": np.array([1.5, 2.0, -1.0, 0.25, -3.0])}
SPACES = st.sampled_from(["", "", " ", "  ", "\t"])


class Value:
    """A number or an array, with Python's operators: each does what NumPy does, on arrays alone."""

    def __init__(self, value) -> None:
        self.value = value

    def _with(self, function, *others):
        values = [x.value for x in (self, *others)]
        if all(isinstance(x, float) for x in values):
            with np.errstate(all="ignore"):
                return Value(float(function(*(np.full(1, x) for x in values))[0]))
        with np.errstate(all="ignore"):
            return Value(function(*values))

    def __add__(self, other):
        return self._with(np.add, other)

    def __sub__(self, other):
        return self._with(np.subtract, other)

    def __mul__(self, other):
        return self._with(np.multiply, other)

    def __truediv__(self, other):
        return self._with(np.divide, other)

    def __pow__(self, other):
        return self._with(lambda x, y: x**y, other)

    def __neg__(self):
        return self._with(np.negative)


def _called(name):
    function = FUNCTIONS[name]
    if name not in OF_SEVERAL:
        return lambda x: x._with(function)
    return lambda x, y, *others: x._with(lambda *values: functools.reduce(function, values), y, *others)


KNOWN = {
    **{name: _called(name) for name in FUNCTIONS},
    **{name: Value(value) for name, value in CONSTANTS.items()},
    **{name: Value(column) for name, column in COLUMNS.items()},
    "number": lambda text: Value(float(text)),
    "__builtins__": {},
}


@st.composite
def texts(draw, depth: int = 4) -> str:
    """Draw a formula as somebody may write it, with needless spaces and parentheses, in Python's spelling."""
    kind = draw(st.sampled_from(["leaf", "leaf", "sign", "chain", "chain", "power", "call", "within"]))
    a, b = draw(SPACES), draw(SPACES)
    part = texts(depth - 1) if depth else None
    if part is None or kind == "leaf":
        return draw(st.sampled_from(["x1", "x2", "2", "0.5", ".25", "3.", "1e-1", "pi", "e"]))
    if kind == "sign":
        return f"-{a}{draw(part)}"
    if kind == "chain":
        return f"{draw(part)}{a}{draw(st.sampled_from('+-*/'))}{b}{draw(part)}"
    if kind == "power":
        return f"{draw(part)}{a}**{b}{draw(part)}"
    if kind == "within":
        return f"({a}{draw(part)}{b})"
    name = draw(st.sampled_from([*FUNCTIONS]))
    count = draw(st.integers(2, 3)) if name in OF_SEVERAL else 1
    return f"{name}({a}{','.join(draw(part) for _ in range(count))}{b})"


def by_python(text: str):
    """Return what Python makes of a formula, by its own grammar."""
    numbers = re.sub(r"(?<![\w.])(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", r"number('\g<0>')", text)
    return eval(numbers, dict(KNOWN)).value  # drawn above


@given(texts().filter(lambda text: len(text) <= LONGEST))
@settings(max_examples=150)
def test_a_formula_means_what_python_makes_of_it(text):
    try:
        formula = parse_formula(text)
    except DataError as error:
        assert "nested deeper" in str(error)  # noqa: PT017 - the only thing that can be wrong with it
        return
    np.testing.assert_array_equal(formula(COLUMNS), by_python(text))


@given(texts().filter(lambda text: len(text) <= LONGEST))
@settings(max_examples=150)
def test_the_text_of_a_formula_is_the_same_formula_without_what_is_needless(text):
    try:
        formula = parse_formula(text)
    except DataError:
        return
    again = parse_formula(str(formula))
    assert again == formula
    assert str(again) == str(formula)
    assert len(str(formula)) <= len(text)
    assert " " not in str(formula)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("X1", "x1"),
        (" x1 + (x2 + 1) ", "x1+(x2+1)"),
        ("(x1 + x2) + 1", "x1+x2+1"),
        ("((x1)) * (x2 / 3)", "x1*(x2/3)"),
        ("(-x1)^2 - -(x1**2)", "(-x1)^2--x1^2"),
        ("(x1^x2)^2", "(x1^x2)^2"),
        ("x1^(x2^-2)", "x1^x2^-2"),
        ("-(x1*x2)", "-(x1*x2)"),
        ("(-x1)*x2", "-x1*x2"),
        ("max((x1), -x2, 0.50)", "max(x1,-x2,0.50)"),
    ],
)
def test_parentheses_stand_where_they_are_needed(text, short):
    assert str(parse_formula(text)) == short


def test_precedence_is_that_of_the_field():
    def value(text):
        return float(parse_formula(text)({}))

    assert value("2+3*4^2/8-1") == 7.0
    assert value("-2^2") == -4.0
    assert value("2^3^2") == 512.0
    assert value("8/4/2") == 1.0
    assert value("2^-1") == 0.5
    assert value("10-4-3") == 3.0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_what_its_name_says(name):
    x = np.array([0.25, 1.0, 2.0])
    expected = {
        "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
        "abs": np.abs,
        "min": lambda x: np.minimum(x, 0.5),
        "max": lambda x: np.maximum(x, 0.5),
    }
    text = f"{name}(x1,0.5)" if name in OF_SEVERAL else f"{name}(x1)"
    found = parse_formula(text)({"x1": x})
    # Two ways to a logistic.
    np.testing.assert_allclose(found, (expected.get(name) or getattr(np, name))(x), rtol=1e-15)


def test_columns_may_have_any_name():
    names = ("e", "sin", "키", "bill length", "a`b", "x.y")
    columns = {name: np.array([float(place + 1)]) for place, name in enumerate(names)}
    formula = parse_formula("e + 2*sin + 3*키 + 4*`bill length` + 5*`a``b` + 6*`x.y`", names)
    assert formula(columns) == 1 + 4 + 9 + 16 + 25 + 36
    assert formula.columns == names
    assert parse_formula(str(formula), names) == formula
    assert parse_formula("sin(sin)", names)(columns) == np.sin(2.0)


def test_a_name_that_differs_in_case_alone_is_understood_where_only_one_does():
    assert str(parse_formula("X1*x1", ("x1", "X1"))) == "X1*x1"
    with pytest.raises(DataError, match="no column 'LENGTH'; did you mean 'Length'"):
        parse_formula("LENGTH", ("length", "Length"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "letter 1: expected a number, a name or a parenthesis, got the end"),
        ("x1 +", "letter 5: expected a number, a name or a parenthesis, got the end"),
        ("x1 x2", "letter 4: expected an operator, got 'x2'"),
        ("2x1", "letter 2: expected an operator, got 'x1'"),
        ("(x1 + (x2)", "letter 11: expected ) for the ( of letter 1, got the end"),
        ("x1)", "letter 3: expected an operator, got ')'"),
        ("x1 + siin(x2)", "letter 6: there is no function 'siin'; did you mean 'sin'"),
        ("x1 + arctan(x2)", "letter 6: there is no function 'arctan'; "),
        ("x1(2)", "letter 1: there is no function 'x1'; x1 times what follows is written x1*(...)"),
        ("2*sin", "letter 3: sin is a function, as in sin(...)"),
        ("sin(x1,x2)", "letter 1: sin takes one argument, got 2"),
        ("min(x1)", "letter 1: min takes two arguments or more, got 1"),
        ("x1 + x3", "letter 6: there is no column 'x3'; "),
        ("x1 + `x 1`", "letter 6: there is no column 'x 1'; did you mean 'x1'"),
        ("1e39", "letter 1: '1e39' is larger than 1e+38"),
        ("x1 % 2", "letter 4: expected an operator, got '%'"),
        ("`x1", "letter 1: expected a number, a name or a parenthesis, got '`'"),
        ("x1.real", "letter 3: expected an operator, got '.'"),
        ("__import__('os').system('true')", "letter 1: there is no function '__import__'"),
        ("-" * 25 + "x1", "letter 25: the formula is nested deeper than 24"),
        ("(" * 25 + "x1" + ")" * 25, "letter 25: the formula is nested deeper than 24"),
        ("2^" * 25 + "x1", "letter 49: the formula is nested deeper than 24"),
        ("x" * 201, "expected a text of at most 200 letters, got 'xxx"),
        (7, "expected a text of at most 200 letters, got 7"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text, said):
    with pytest.raises(DataError) as caught:
        parse_formula(text)
    assert str(caught.value).startswith(f"formula: {said}")
    assert len(str(caught.value)) < 220


@given(st.text(st.sampled_from("x12e.+-*/^(),` sincoamp\0é²"), max_size=60) | st.text(max_size=LONGEST))
def test_any_text_is_a_formula_or_refused_in_a_line(text):
    try:
        parse_formula(text)(COLUMNS)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the message is what is tested


def test_long_chains_are_within_bounds():
    assert parse_formula("+".join(["1"] * 100))({}) == 100.0


# The layer (beside the laws of every layer) -----------------------------------------------------------------


def test_the_classic_features_are_what_they_are_called():
    layer = nn.Formulas(("x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)"))
    x = np.array([[0.5, -3.0], [2.0, 6.0]], np.float32)
    a, b = x.T
    expected = np.stack([a, b, a * a, b * b, a * b, np.sin(a), np.sin(b)], axis=1)
    np.testing.assert_array_equal(layer.apply({}, x), expected)


@given(st.lists(texts(depth=2).filter(lambda text: len(text) < 60), min_size=1, max_size=3))
# Each compiles a program. The same ones each time: some formula enlarges any difference without bound.
@settings(max_examples=15, deadline=None, derandomize=True)
def test_both_backends_agree_on_any_formula(formulas):
    layer = nn.Formulas(tuple(formulas))
    x = np.stack([*COLUMNS.values()], axis=1)
    plain = layer.apply({}, x)
    for backend in ("native", "reference"):
        found = mc.compile(lambda x: layer.apply({}, x), backend=backend)(x)
        # Functions differ by their last digits, which differences and powers enlarge.
        np.testing.assert_allclose(found, plain, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "text", ["x1^2*x2", "x1^-3", "2^x1", "x1^x2", "sqrt(x1)/x2", "sigmoid(x1)*log(x1)", "max(x1,x2)^1.5"]
)
def test_derivatives_flow_through_formulas(text):
    layer = nn.Formulas((text, "x1*x2"))
    x = np.array([[0.5, 2.0], [1.5, 0.75]])
    mc.check_grads(lambda x: np.sum(np.sin(layer.apply({}, x))), (x,))


def test_a_plain_column_is_moved_and_all_else_is_computed():
    layer = nn.Formulas(("b", "a*1", "a", "2"), ("a", "b"))
    np.testing.assert_array_equal(layer.moved(np.array([[5.0, 7.0]])), [[7.0, np.nan, 5.0, np.nan]])
    net = nn.Sequential(layer, nn.ColumnEmbedding(((0, 4),), dim=2))
    assert extent(net, (2,)).lookups[0].columns == [1.0]


def test_operations_are_about_those_of_the_graph():
    layer = nn.Formulas(("sin(x1)+x2*2", "max(x1,x2,3)"))
    assert layer.operations == 1 + (1 + 2 + 3) + (1 + 2 + 2)
    with pytest.raises(DataError, match="more than 2,000 operations"):
        extent(nn.Formulas(("+".join(["x1"] * 60),) * 40), (2,))


def test_a_table_of_many_columns_is_no_trouble():
    names = tuple(f"{'long ' * 100}{place}" for place in range(5_000))
    layer = nn.Formulas(("`long`*2", "b"), ("long", "b", *names))
    x = np.zeros((2, 5_002), np.float32)
    x[:, :2] = 3.0, 4.0
    np.testing.assert_array_equal(layer.apply({}, x), [[6.0, 4.0]] * 2)
    assert layer.operations == 1 + 3 + 1 + 1
    assert nn.from_json(nn.to_json(layer)) == layer


def test_the_layer_says_what_does_not_fit():
    with pytest.raises(DataError, match=r"^Formulas: formula: letter 4: expected an operator, got 'x'"):
        nn.Formulas(("x1 x", "x2"))
    with pytest.raises(DataError, match="Formulas: inputs: expected each name once"):
        nn.Formulas(("a",), ("a", "a"))
    with pytest.raises(DataError, match="formulas: expected one or more formulas"):
        nn.Formulas(())
    with pytest.raises(ShapeError, match=r"^Formulas: rows have shape \[3\], expected \[2\]"):
        nn.Formulas(("x1",)).output_shape((3,))


def test_where_a_formula_is_not_defined_there_is_nan_and_no_warning():
    x = np.array([[-1.0, 0.0]], np.float32)
    found = nn.Formulas(("log(x1)", "1/x2", "exp(x1*-1e4)", "1e38*10*(x1+1)")).apply({}, x)
    np.testing.assert_array_equal(found, np.array([[np.nan, np.inf, np.inf, np.nan]], np.float32))


HOSTILE = [
    "__import__('os')", "x1.__class__", "(" * 5000, "-" * 200, "x1\nx2", "x1;x2", "9" * 199, "", None, 3,
    ["x1"], {"a": 1}, "`" * 200, "x1" + "^x1" * 60,
]  # fmt: skip


@pytest.mark.parametrize("formula", HOSTILE, ids=lambda value: ascii(value)[:20])
def test_a_file_with_a_hostile_formula_is_refused_in_a_line(formula):
    value = {"kind": "formulas", "formulas": ["x1", formula], "inputs": ["x1", "x2"]}
    with pytest.raises(ModelFileError) as caught:
        nn.from_json(json.loads(json.dumps(value)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_file_holds_formulas_in_their_short_form():
    written = nn.to_json(nn.Formulas(("( X1 )", "x1 ** 2")))
    assert written == {"kind": "formulas", "formulas": ["x1", "x1^2"], "inputs": ["x1", "x2"]}
    assert nn.from_json({**written, "formulas": [" x1", "x1 ^ 2"]}) == nn.from_json(written)
