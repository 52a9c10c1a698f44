"""Write the tables of docs/file-format.md from the registries: `python docs/make/file_format_page.py`.

The page is written by hand but for what stands between two markers, which a test holds to this script.
"""

from __future__ import annotations

from pathlib import Path

from minicolumn.nn.losses import LOSSES
from minicolumn.nn.serialize import INSIDE, LAYERS
from minicolumn.registry import REQUIRED

PAGE = Path(__file__).parents[1] / "file-format.md"
# The weights of each kind of layer, as tests compare them with what layers declare.
WEIGHTS = {
    "dense": (
        "`weight` [fan_in, units], `bias` [units] unless `bias` is false; of `glu` twice as many units"
    ),
    "prelu": "`slope` [last axis], or [1] if `shared`",
    "batch_norm": "`mean`, `variance`, and if `affine` `scale`, `bias`, each [last axis]",
    "layer_norm": "if `affine` `scale`, `bias`, each [last axis]",
    "rms_norm": "`scale` [last axis]",
    "standardize": "`mean`, `deviation`, each [last axis]",
    "scale": "`scale` [last axis]",
    "embedding": "`table` [levels, dim]",
    "column_embedding": (
        "for each column a table by its number, such as `3`, [levels, dim of it]; if `shared` one"
        " for each length, `dim_8`, with the rows of each column below those of the one before it"
    ),
    "piecewise_dense": (
        "`scale` [fan_in], `weight` [fan_in, units], `bias` [units]; fan_in: columns and ramps"
    ),
    "column_splines": (
        "`weight` [columns without codes, members * units], `splines` [members * all knots, "
        "units], `tables` [members * all levels, units], `bias` [members * units]"
    ),
    "members": "`scale` [count, features]",
    "batch_ensemble": (
        "`weight` [fan_in, units], `bias` [members, units], `inputs.scale` [members, fan_in], "
        "`outputs.scale` [members, units]"
    ),
    "member_dense": "`weight` [members, fan_in, units], `bias` [members, units]",
    "sequential": "of each layer, behind its place: `0.weight`",
    "concatenate": "of each layer, behind its place: `0.weight`",
    "ensemble": "of each member, behind its place: `0.1.weight`",
    "heads": "of each head, behind its name: `size.weight`",
    "residual": "those of the inner layer",
    "frozen": "those of the inner layer",
}
# What they compute where they predict; x is a row, its last axis the features.
PREDICTS = {
    "sequential": "y = layer_n(... layer_1(x)); without layers y = x",
    "concatenate": "y = [layer_1(x) | ... | layer_n(x)] along the last axis",
    "residual": "y = x + inner(x)",
    "frozen": "y = inner(x)",
    "heads": "y = [head_1(x) | head_2(x) | ...] along the last axis",
    "ensemble": "y = mean of member_1(x), ..., member_n(x), by `average`, see below",
    "dense": (
        "y = activation(x W + bias_rate b); of the parametrization ntk y = activation(x W / "
        "sqrt(fan_in) + bias_rate b)"
    ),
    "activation": "y = function(x)",
    "prelu": "y = x if x > 0 else slope x",
    "dropout": "y = x",
    "alpha_dropout": "y = x",
    "gaussian_dropout": "y = x",
    "gaussian_noise": "y = x",
    "noisy_relu": "y = max(0, x)",
    "batch_norm": "y = scale (x - mean) / sqrt(variance + eps) + bias",
    "layer_norm": (
        "y = scale (x - m) / sqrt(v + eps) + bias; m the mean of the last axis, v the mean of (x - m)^2"
    ),
    "rms_norm": "y = scale x / sqrt(mean of x^2 + eps), over the last axis",
    "standardize": "y = (x - mean) / deviation",
    "flatten": "all numbers of a row one after the other, the last axis quickest",
    "reshape": "the same numbers in the same order, in `shape`",
    "monotone_quantiles": "y_1 = x_1, y_k = y_(k-1) + log(1 + e^(x_k))",
    "scale": "y = x (1 + rate scale)",
    "embedding": "y = table[x], x a code from 0 to levels - 1; a row [n] becomes [n, dim]",
    "piecewise_linear": (
        "y = [x | ramps], for each pair (c, knots) in `knots`, for each two neighbours k, k + 1 "
        "of its knots: min(1, max(0, (x_c - knot_k) / (knot_k+1 - knot_k)))"
    ),
    "column_splines": (
        "y = x' W + sum of spline_c(x_c) + sum of table_c[x_c] + b; x' are the columns without "
        "those of `embeddings`; spline_c interpolates linearly between its rows of `splines`, one"
        " a knot, and stays as it is beyond the outermost"
    ),
    "piecewise_dense": (
        "y = activation([x | ramps] (f W) + bias_rate b), f = (1 + 6 scale) / sqrt(fan_in), a "
        "factor for each row of W; ramps as of `piecewise_linear`"
    ),
    "column_embedding": (
        "y = [the other columns, in order | table_c[x_c] for each pair (c, levels) of "
        "`embeddings`, in order]; where `dim` is null, of min(600, round(1.6 levels^0.56)) "
        "numbers"
    ),
    "formulas": (
        "y_k = formula_k of the columns, which `inputs` names: numbers, names, + - * / ^, "
        "parentheses, sin, cos, tanh, exp, log, sqrt, abs, min, max, sigmoid, pi and e; other "
        "names stand in backquotes"
    ),
    "members": "y_i = scale_i x for each member i: [count, features]",
    "batch_ensemble": (
        "y_i = activation(s_i * ((r_i * x_i) W) + b_i); r are `inputs.scale`, s `outputs.scale`, "
        "each 1 where its field is false"
    ),
    "member_dense": "y_i = activation(x_i W_i + b_i)",
    "mean_of_members": (
        "y = mean of x_1, ..., x_members by `average`, as of ensembles; probabilities are softmax of "
        "several outputs, logistic of one; in older files the field is `of`"
    ),
}
_MARKERS = "<!-- {} -->\n", "<!-- end of {} -->\n"


def with_tables(page: str) -> str:
    """Return the page with its tables as they should be."""
    for name, table in (("layers", layers_table()), ("losses", losses_table())):
        first, last = (marker.format(name) for marker in _MARKERS)
        before, rest = page.split(first)
        page = before + first + table + last + rest.split(last)[1]
    return page


def layers_table() -> str:
    """Return a row for each kind of layer: its fields, its weights, what it computes."""
    rows = []
    for kind, layer in LAYERS.items():
        inside = {"heads": "`heads`: pairs of a name and a layer"}.get(
            kind, f"`{INSIDE[layer]}`" if layer in INSIDE else ""
        )
        told = [
            f"`{name}`" + ("" if setting.default is REQUIRED else f" = {_written(setting.default)}")
            for name, setting in LAYERS.settings(kind).items()
        ]
        fields = ", ".join(part for part in (inside, *told) if part)
        rows.append(f"| `{kind}` | {fields} | {WEIGHTS.get(kind, '')} | {_cell(PREDICTS[kind])} |\n")
    return "| kind | fields | weights | predicts |\n|---|---|---|---|\n" + "".join(rows)


def losses_table() -> str:
    """Return a row for each loss: its settings, and what turns raw outputs into predictions."""
    rows = []
    for name, rule in LOSSES.items():
        settings = ", ".join(
            f"`{key}`" + ("" if setting.default is REQUIRED else f" = {_written(setting.default)}")
            for key, setting in LOSSES.settings(name).items()
        )
        outputs = rule.outputs_with(rule.defaults)
        rows.append(f"| `{name}` | {settings} | {outputs.kind} | `{outputs.activation}` |\n")
    return "| loss | settings | outputs | predictions |\n|---|---|---|---|\n" + "".join(rows)


def _written(value: object) -> str:
    """Return a default as JSON has it."""
    words = {None: "null", True: "true", False: "false"}
    if isinstance(value, bool) or value is None:
        return words[value]
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
