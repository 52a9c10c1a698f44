"""NumPy's products on traced arrays, tensor contractions among them. All of them end in `matmul`."""

from __future__ import annotations

import string
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops.products import MATMUL
from minicolumn.ir.shapes import merged, normalize_axis
from minicolumn.trace.promote import any_traced, array, promoted
from minicolumn.trace.shaping import atleast
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import AxisPairs, DTypeLike, Mask


def dot(a: Operand, b: Operand, out: None = None) -> Any:
    """Return the dot product: over the last axis of a and the last but one of b; numbers multiply."""
    x, y = promoted(array(a), array(b))
    if not x.ndim or not y.ndim:
        return x * y
    _must_agree("dot", x.shape[-1], y.shape[max(y.ndim - 2, 0)], x, y)
    return tensordot(x, y, axes=([-1], [max(y.ndim - 2, 0)]))


def _must_agree(name: str, m: int, n: int, x: Array, y: Array) -> None:
    if m != n:
        raise ShapeError(f"{name}: shapes {list(x.shape)} and {list(y.shape)} do not fit ({m} against {n})")


def vdot(a: Operand, b: Operand) -> Any:
    """Return the dot product of two flattened arrays."""
    return dot(np.reshape(a, -1), np.reshape(b, -1))


def inner(a: Operand, b: Operand) -> Any:
    """Return the inner product: the sum of products over the last axes."""
    x, y = promoted(array(a), array(b))
    return tensordot(x, y, axes=([-1], [-1])) if x.ndim and y.ndim else x * y


def outer(a: Operand, b: Operand, out: None = None) -> Any:
    """Return the outer product of two flattened arrays."""
    x, y = promoted(array(a), array(b))
    return np.reshape(x, (x.size, 1)) * np.reshape(y, (1, y.size))


def _outer_of_vectors(x1: Operand, x2: Operand, /) -> Any:
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:  # type: ignore[arg-type]
        raise ShapeError(
            f"np.linalg.outer: vectors expected, got {list(np.shape(x1))} and {list(np.shape(x2))}"
        )  # type: ignore[arg-type]
    return outer(x1, x2)


def tensordot(a: Operand, b: Operand, axes: AxisPairs = 2) -> Any:
    """Return the tensor contraction over pairs of axes, as one matrix product of flattened operands."""
    x, y = promoted(array(a), array(b))
    left, right = _pairs(axes, x.ndim)
    left = [normalize_axis(int(i), x.ndim) for i in left]
    right = [normalize_axis(int(i), y.ndim) for i in right]
    for i, j in zip(left, right, strict=True):
        _must_agree("tensordot", x.shape[i], y.shape[j], x, y)
    free_x = [i for i in range(x.ndim) if i not in left]
    free_y = [i for i in range(y.ndim) if i not in right]
    rows, columns = [x.shape[i] for i in free_x], [y.shape[i] for i in free_y]
    n = merged(x.shape[i] for i in left)
    flat_x = np.reshape(np.transpose(x, free_x + left), (merged(rows), n))
    flat_y = np.reshape(np.transpose(y, right + free_y), (n, merged(columns)))
    return np.reshape(MATMUL(flat_x, flat_y), (*rows, *columns))


def _pairs(axes: AxisPairs, ndim: int) -> tuple[list[Any], list[Any]]:
    if isinstance(axes, (int, np.integer)):
        return list(range(ndim - int(axes), ndim)), list(range(int(axes)))
    left, right = axes
    as_list = lambda a: [a] if isinstance(a, (int, np.integer)) else list(a)  # noqa: E731
    return as_list(left), as_list(right)


def kron(a: Operand, b: Operand) -> Any:
    """Return the Kronecker product."""
    x, y = promoted(array(a), array(b))
    ndim = max(x.ndim, y.ndim)
    x, y = (np.reshape(z, (1,) * (ndim - z.ndim) + z.shape) for z in (x, y))
    apart_x = np.reshape(x, tuple(n for length in x.shape for n in (length, 1)))
    apart_y = np.reshape(y, tuple(n for length in y.shape for n in (1, length)))
    return np.reshape(apart_x * apart_y, tuple(m * n for m, n in zip(x.shape, y.shape, strict=True)))


def cross(
    a: Operand, b: Operand, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Return the cross product of vectors of three elements."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = promoted(np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1))  # type: ignore[arg-type]
    if {x.shape[-1], y.shape[-1]} - {3}:
        raise ShapeError(f"cross: vectors of 3 elements expected, got {x.shape[-1]} and {y.shape[-1]}")
    parts = [
        x[..., (i + 1) % 3] * y[..., (i + 2) % 3] - x[..., (i + 2) % 3] * y[..., (i + 1) % 3]
        for i in range(3)
    ]
    return np.stack(parts, axis=axisc)


def vecdot(x1: Operand, x2: Operand, /, *, axis: int = -1) -> Any:
    """Return the dot product of vectors along one axis; the others broadcast."""
    x, y = promoted(np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1))  # type: ignore[arg-type]
    return np.matmul(x[..., None, :], y[..., None])[..., 0, 0]


def convolve(a: Operand, v: Operand, mode: str = "full") -> Any:
    """Return the sums over sliding windows: a matrix of windows times the shorter operand."""
    x, y = promoted(*map(atleast(1), (a, v)))
    if x.ndim != 1 or y.ndim != 1 or not x.size or not y.size:
        raise ShapeError(
            f"convolve: two vectors with elements expected, got {list(x.shape)} and {list(y.shape)}"
        )
    x, y = (y, x) if y.size > x.size else (x, y)
    n, m = x.size, y.size
    wide = np.pad(x, m - 1)
    full = np.matmul(wide[np.arange(n + m - 1)[:, None] + np.arange(m)], y[::-1])
    if mode == "full":
        return full
    if mode == "same":
        return full[(m - 1) // 2 : (m - 1) // 2 + n]
    if mode == "valid":
        return full[m - 1 : n]
    raise ShapeError(f"convolve: mode {mode!r} is none of 'full', 'same', 'valid'")


def correlate(a: Operand, v: Operand, mode: str = "valid") -> Any:
    """Return the cross-correlation of two vectors: the convolution with one of them reversed."""
    x, y = array(a), array(v)
    swapped = y.size > x.size
    out = convolve(y, x[::-1], mode) if swapped else convolve(x, y[::-1], mode)
    return out[::-1] if swapped else out


def cov(
    m: Operand, y: Mask = None, rowvar: bool = True, bias: bool = False, ddof: float | None = None,
    fweights: Mask = None, aweights: Mask = None, *, dtype: DTypeLike = None,
) -> Any:  # fmt: skip
    """Return the covariance matrix; ``rowvar`` says whether rows or columns are the variables."""
    if ddof is not None and ddof != int(ddof):
        raise TraceError(f"np.cov: ddof={ddof} is not an integer")
    rows = _variables(m, rowvar)
    if y is not None:
        rows = np.concatenate([rows, _variables(y, rowvar)], axis=0)
    lost = (0 if bias else 1) if ddof is None else ddof
    weights = _observation_weights(rows.shape[1], fweights, aweights)
    if weights is None:
        mean, weighted, freedom = np.mean(rows, axis=1, keepdims=True), None, rows.shape[1] - lost
    else:
        mean, total = np.average(rows, axis=1, weights=weights, keepdims=True, returned=True)
        weighted, total = weights, total[0, 0]
        freedom = total
        if lost:
            freedom = total - (lost if aweights is None else lost * np.sum(weights * aweights) / total)
    centred = rows - mean
    right = np.transpose(centred if weighted is None else centred * weighted)
    out = np.squeeze(np.matmul(centred, right) * np.divide(1.0, np.maximum(freedom, 0.0)))
    return out if dtype is None else out.astype(dtype)


def _observation_weights(count: int, fweights: Mask, aweights: Mask) -> Any:
    """Return the weights of observations, frequencies times importances; None where none are given.

    What NumPy says of weights that are known is said here too; of traced ones their signs are not known.
    """
    known = {"fweights": fweights, "aweights": aweights}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.cov(np.zeros((1, count)), **{k: w for k, w in known.items() if not any_traced(w)})  # type: ignore[arg-type]
    given = [array(w).astype(np.float64) for w in (fweights, aweights) if w is not None]
    if any(w.shape != (count,) for w in given):
        raise ShapeError(
            f"cov: weights have shape {list(given[0].shape)}, expected one an observation, [{count}]"
        )
    return None if not given else given[0] if len(given) == 1 else given[0] * given[1]


def _variables(m: Operand, rowvar: bool) -> Any:
    x = np.atleast_2d(m).astype(np.float64)
    return np.transpose(x) if not rowvar and x.shape[0] != 1 else x


def corrcoef(x: Operand, y: Mask = None, rowvar: bool = True, *, dtype: DTypeLike = None) -> Any:
    """Return the matrix of Pearson correlation coefficients."""
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    spread = np.sqrt(np.diagonal(c))
    return np.clip(c / spread[:, None] / spread[None, :], -1, 1)


# einsum -----------------------------------------------------------------------------------------------------


def einsum(
    *operands: str | Operand, out: None = None, optimize: object = False, dtype: DTypeLike = None,
    order: str = "K", casting: str = "safe",
) -> Any:  # fmt: skip
    """Contract operands two at a time, from left to right, each time by one batched matrix product.

    ``optimize`` and ``order`` say in which order NumPy works and lays out; they change no value here.
    """
    subscripts, arrays = _operands(operands)
    terms, result = _parse(subscripts, [a.ndim for a in arrays])
    arrays = promoted(*arrays) if dtype is None else [_converted(a, np.dtype(dtype), casting) for a in arrays]
    sizes = _sizes(terms, arrays)
    pairs = [_prepared(term, x, sizes) for term, x in zip(terms, arrays, strict=True)]
    term, x = pairs[0]
    for i, (other, y) in enumerate(pairs[1:], start=2):
        needed = set(result).union(*(t for t, _ in pairs[i:]))
        term, x = _contract(term, x, other, y, needed)
    gone = tuple(i for i, label in enumerate(term) if label not in result)
    if gone:
        x, term = _summed(x, gone), [label for label in term if label in result]
    x = np.transpose(x, [term.index(label) for label in result if label in term])
    shape = tuple(sizes[label] for label in result)
    lengths = tuple(sizes[label] if label in term else 1 for label in result)
    return np.broadcast_to(np.reshape(x, lengths), shape)


def _converted(x: Array, dtype: np.dtype, casting: Any) -> Any:
    if not np.can_cast(x.dtype, dtype, casting):
        raise TraceError(f"np.einsum: dtype={dtype} takes no {x.dtype} by casting={casting!r}")
    return cast(x, dtype)


def _summed(x: Array, axes: tuple[int, ...]) -> Any:
    """Return the sum in the dtype of the elements; of booleans, whether any is true."""
    return np.any(x, axis=axes) if x.dtype == np.bool_ else np.sum(x, axis=axes, dtype=x.dtype)


def _operands(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), [array(x) for x in operands[1:]]
    # einsum(x, [0, 1], y, [1, 2], [0, 2]): the same with numbers for letters.
    word = lambda labels: "".join(map(_letter, labels))  # noqa: E731
    n = len(operands) // 2
    text = ",".join(word(operands[2 * i + 1]) for i in range(n))
    if len(operands) % 2:
        text += "->" + word(operands[-1])
    return text, [array(operands[2 * i]) for i in range(n)]


def _letter(label: Any) -> str:
    if label is Ellipsis:
        return "..."
    letters = string.ascii_uppercase + string.ascii_lowercase  # in the order in which results are sorted
    if not 0 <= label < len(letters):
        raise ShapeError(f"einsum: {label} is none of the numbers 0 .. {len(letters) - 1} that name an axis")
    return letters[label]


def _parse(subscripts: str, ndims: list[int]) -> tuple[list[list[str]], list[str]]:
    """Return the labels of operands and result; an ellipsis becomes labels '0', '1', ... from the right."""
    left, arrow, right = subscripts.partition("->")
    words = left.split(",")
    for word in (*words, right):
        if word.count("...") > 1 or set(word.replace("...", "", 1)) - set(string.ascii_letters):
            raise ShapeError(f"einsum: {word!r} in {subscripts!r} is not made of letters and one '...'")
    if len(words) != len(ndims):
        raise ShapeError(f"einsum: {len(words)} terms in {subscripts!r} for {len(ndims)} operands")
    terms = [_labels(word, ndim) for word, ndim in zip(words, ndims, strict=True)]
    rest = max((sum(label.isdigit() for label in t) for t in terms), default=0)
    dots = [str(i) for i in reversed(range(rest))]
    if arrow:
        before, has_dots, after = right.partition("...")
        if dots and not has_dots:
            raise ShapeError(f"einsum: {right!r} lacks the '...' that the operands of {subscripts!r} have")
        result = [*before, *(dots if has_dots else []), *after]
        wrong = [c for c in result if result.count(c) > 1 or not any(c in term for term in terms)]
        if wrong:
            raise ShapeError(f"einsum: {wrong[0]!r} must come once in {right!r}, and before the arrow too")
        return terms, result
    counts = "".join(words).replace(".", "")
    return terms, dots + sorted(c for c in set(counts) if counts.count(c) == 1)


def _labels(word: str, ndim: int) -> list[str]:
    before, dots, after = word.partition("...")
    rest = ndim - len(before) - len(after)
    if rest < 0 or (rest and not dots):
        raise ShapeError(f"einsum: term {word!r} does not fit an operand of {ndim} dimensions")
    return [*before, *(str(i) for i in reversed(range(rest))), *after]


def _sizes(terms: list[list[str]], arrays: list[Array]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, x in zip(terms, arrays, strict=True):
        for label, n in zip(term, x.shape, strict=True):
            known = sizes.get(label, 1)
            if known != n and 1 not in (known, n):
                raise ShapeError(f"einsum: axis {label!r} is {known} long in one operand and {n} in another")
            sizes[label] = n if known == 1 else known
    return sizes


def _prepared(term: list[str], x: Array, sizes: dict[str, int]) -> tuple[list[str], Any]:
    """Return an operand with each label once and no broadcast axes."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            i = term.index(label)
            j = term.index(label, i + 1)
            x = np.diagonal(x, axis1=i, axis2=j)
            term = [t for k, t in enumerate(term) if k not in (i, j)] + [label]
    keep = [i for i, label in enumerate(term) if x.shape[i] == sizes[label]]
    return [term[i] for i in keep], np.reshape(x, tuple(x.shape[i] for i in keep))


def _contract(a: list[str], x: Array, b: list[str], y: Array, needed: set[str]) -> tuple[list[str], Any]:
    x, a = _sum_lonely(a, x, needed | set(b))
    y, b = _sum_lonely(b, y, needed | set(a))
    batch = [label for label in a if label in b and label in needed]
    summed = [label for label in a if label in b and label not in needed]
    rows, columns = [label for label in a if label not in b], [label for label in b if label not in a]
    size = {**dict(zip(a, x.shape, strict=True)), **dict(zip(b, y.shape, strict=True))}
    lengths = lambda labels: [size[label] for label in labels]  # noqa: E731
    left = np.transpose(x, [a.index(label) for label in batch + rows + summed])
    right = np.transpose(y, [b.index(label) for label in batch + summed + columns])
    left = np.reshape(left, (*lengths(batch), merged(lengths(rows)), merged(lengths(summed))))
    right = np.reshape(right, (*lengths(batch), merged(lengths(summed)), merged(lengths(columns))))
    # Without an axis to sum, the product is element by element; broadcasting needs no matrix product for it.
    out = MATMUL(left, right) if summed else left * right
    return batch + rows + columns, np.reshape(out, lengths(batch + rows + columns))


def _sum_lonely(term: list[str], x: Array, needed: set[str]) -> tuple[Any, list[str]]:
    gone = tuple(i for i, label in enumerate(term) if label not in needed)
    return (_summed(x, gone), [t for t in term if t in needed]) if gone else (x, term)


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.dot: dot,
    np.vdot: vdot,
    np.inner: inner,
    np.outer: outer,
    np.tensordot: tensordot,
    np.kron: kron,
    np.cross: cross,
    np.einsum: einsum,
    np.convolve: convolve,
    np.correlate: correlate,
    np.cov: cov,
    np.corrcoef: corrcoef,
    np.linalg.matmul: lambda x1, x2, /: np.matmul(x1, x2),
    np.linalg.outer: _outer_of_vectors,
    np.linalg.tensordot: lambda x1, x2, /, *, axes=2: tensordot(x1, x2, axes),
    np.linalg.vecdot: vecdot,
    np.linalg.cross: lambda x1, x2, /, *, axis=-1: cross(x1, x2, axis=axis),
}
