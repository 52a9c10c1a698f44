"""The container: what is written is read by us and by safetensors; all else is refused by its own rule."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from model_samples import body_of, framed, header_of, sealed

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model import container, strict_json
from minicolumn.model.container import decode, encode

W = np.arange(6, dtype=np.float32).reshape(2, 3)
DTYPES = [np.float64, np.int64, np.float32, np.int32, np.uint32, np.bool_]


def written(tensors: dict[str, Any] | None = None, **texts: str) -> bytes:
    return b"".join(encode({"w": W} if tensors is None else tensors, texts or {"note": "hi"}))


def edited(data: bytes, **changes: Any) -> bytes:
    """Return a file with its one tensor's line changed and everything else made to fit."""
    header = header_of(data)
    header["w"] = {**header["w"], **changes}
    return sealed(header, body_of(data))


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, max_dims=8, min_side=0, max_side=3),
        elements=hnp.from_dtype(np.dtype(dtype), allow_nan=False, allow_infinity=False),
    )
)
NAMES = st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable() and name != "__metadata__")


@given(st.dictionaries(NAMES, ARRAYS, max_size=5), st.dictionaries(NAMES, st.text(), max_size=3))
def test_what_is_written_is_read_by_us_and_by_safetensors(
    tensors: dict[str, np.ndarray], texts: dict[str, str]
) -> None:
    texts = {name: "".join(c for c in text if not "\ud800" <= c <= "\udfff") for name, text in texts.items()}
    texts = {name: text for name, text in texts.items() if name not in ("format", "format_version", "sha256")}
    data = b"".join(encode(tensors, texts))
    found, others = decode(data), safetensors.numpy.load(data)
    assert found.texts == texts
    assert found.tensors.keys() == others.keys() == tensors.keys()
    for name, array in tensors.items():
        assert same(found.tensors[name], array)
        assert same(others[name], array)


def test_our_own_reading_agrees_with_safetensors_on_what_is_ours() -> None:
    with_metadata = written({"a": W, "b": W.astype(np.float64), "c": np.array([True, False])})
    assert list(header_of(with_metadata)) == [
        "__metadata__",
        "b",
        "a",
        "c",
    ]  # widest first: every start is aligned
    with pytest.raises(ModelFileError, match="minicolumn did not write it"):
        decode(safetensors.numpy.save({"w": W}, {"format": "np"}))


def test_layout_of_the_source_array_does_not_matter() -> None:
    tricky = {"t": np.asfortranarray(W), "s": W[:, ::2], "big": W.astype(">f4"), "zero": np.float64(3.0)}
    found = decode(written(tricky)).tensors
    for name, array in tricky.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype.isnative
        assert found[name].flags.writeable
        assert found[name].flags.aligned


@pytest.mark.parametrize(
    "tensors",
    [{}, {"w": W}, {"a": W, "b": np.ones((2, 2)), "c": np.array([True]), "d": np.arange(3, dtype=np.uint32)}],
)
def test_every_changed_byte_is_noticed(tensors: dict[str, np.ndarray]) -> None:
    data = bytearray(written(tensors, note="hi", more='{"x":1}'))
    decode(data)
    for place in range(len(data)):
        for flip in (*(1 << bit for bit in range(8)), 0xFF, 0x20 ^ 0x09):  # long_fuzz.py tries all 255
            data[place] ^= flip
            with pytest.raises(ModelFileError):
                decode(data)
            data[place] ^= flip


def test_every_cut_and_every_added_byte_is_noticed() -> None:
    data = written()
    for end in range(len(data)):
        with pytest.raises(ModelFileError):
            decode(data[:end])
    for extra in (b"\0", b" ", b"PK\3\4", data):
        with pytest.raises(ModelFileError):
            decode(data + extra)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_are_not_finite_are_neither_written_nor_read(value: float, dtype: type) -> None:
    bad = np.array([1.0, value], dtype)
    with pytest.raises(DataError, match="'w' that are not finite"):
        encode({"w": bad}, {})
    good = written({"w": np.array([1.0, 2.0], dtype)})
    with pytest.raises(ModelFileError, match="'w' that are not finite"):
        decode(sealed(header_of(good), bad.tobytes()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "F16"}, "unknown dtype"),
        ({"dtype": "BF16"}, "unknown dtype"),
        ({"dtype": "U16"}, "unknown dtype"),
        ({"dtype": "f4"}, "unknown dtype"),
        ({"dtype": ["F32"]}, "unknown dtype"),
        ({"dtype": "F64"}, "its shape needs 48"),
        ({"shape": [2, 4]}, "its shape needs 32"),
        ({"shape": [2, 3.0]}, "not integers"),
        ({"shape": [2, True]}, "not integers"),
        ({"shape": [-2, -3]}, "not integers"),
        ({"shape": "23"}, "not integers"),
        ({"shape": [6] + [1] * 8}, "9 dimensions"),
        ({"shape": [2**31, 2]}, "too large"),
        ({"shape": [0, 2**62, 2**62]}, "too large"),
        ({"shape": [2**63, 2**63]}, "too large"),
        ({"data_offsets": [0, 23]}, "its shape needs 24"),
        ({"data_offsets": [4, 28]}, "hole or overlaps"),
        ({"data_offsets": [24, 0]}, "its shape needs"),
        ({"data_offsets": [0]}, "not integers"),
        ({"data_offsets": [0, 24, 24]}, "not integers"),
        ({"data_offsets": [0.0, 24]}, "not integers"),
        ({"data_offsets": [2**64 - 24, 2**64]}, "hole or overlaps"),
        ({"extra": 1}, "nothing else"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        decode(edited(written(), **changes))


def three_tensors() -> tuple[dict[str, Any], bytes]:
    data = written({"a": W, "b": W, "c": W})
    return header_of(data), body_of(data)


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"a": [0, 24], "b": [0, 24], "c": [48, 72]}, "hole or overlaps"),
        ({"a": [0, 24], "b": [24, 48], "c": [24, 48]}, "hole or overlaps"),
        ({"a": [24, 48], "b": [0, 24], "c": [48, 72]}, "hole or overlaps"),
        ({"a": [0, 24], "b": [48, 72], "c": [72, 96]}, "hole or overlaps"),
    ],
)
def test_tensors_lie_one_after_the_other(places: dict[str, list[int]], message: str) -> None:
    header, body = three_tensors()
    for name, place in places.items():
        header[name]["data_offsets"] = place
    with pytest.raises(ModelFileError, match=message):
        decode(sealed(header, body))


def test_bytes_behind_and_before_the_tensors_are_refused() -> None:
    header, body = three_tensors()
    with pytest.raises(ModelFileError, match="holds 73 bytes of data, expected 72"):
        decode(sealed(header, body + b"\0"))
    with pytest.raises(ModelFileError, match="holds 71 bytes of data, expected 72"):
        decode(sealed(header, body[:-1]))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('{"w":1,"w":2}', "the key 'w' twice"),
        ('{"a":{"x":1,"x":1}}', "the key 'x' twice"),
        ('{"a":NaN}', "NaN, which is not a number"),
        ('{"a":[Infinity]}', "Infinity, which is not a number"),
        ('{"a":-Infinity}', "-Infinity, which is not a number"),
        ('{"a":1e999}', "not finite"),
        ('{"a":' + "9" * 5000 + "}", "enormous number"),
        ('{"a":18446744073709551617}', "enormous number"),
        ('{"a":' + "[" * 32 + "]" * 32 + "}", "nested deeper than 32"),
        ('{"a":' + "[" * 100_000, "nested deeper than 32"),
        ('{"a":"\\ud800"}', "half a character"),
        ('{"a":"' + '\\"' * 200_000, "not valid JSON"),
        ('{"a":"x', "not valid JSON"),
        ('{"a":1,}', "not valid JSON"),
        ("{'a':1}", "not valid JSON"),
        ('{"a":1}}', "not valid JSON"),
        ('{"a":"\t"}', "not valid JSON"),
        ('{"a":"é"}', "not ASCII"),
        ("{}", "minicolumn did not write it"),
        ('{"__metadata__":[]}', "minicolumn did not write it"),
        ('{"__metadata__":{"format":"pt"}}', "minicolumn did not write it"),
    ],
)
def test_a_loose_header_is_refused(header: str, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        decode(framed(header, b""))


@pytest.mark.parametrize("text", ["", "[1", '["\\', '"' * 7, '{"a":"\\\\"}', "[[]]", "x", '"\\u00e9"'])
def test_the_depth_scan_agrees_with_the_parser(text: str) -> None:
    try:
        expected = json.loads(text)
    except json.JSONDecodeError:
        with pytest.raises(ModelFileError):
            strict_json.parse(text, "it")
    else:
        assert strict_json.parse(text, "it") == expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text('ab\\"[{é\n'),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text('a\\"[', max_size=3), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_canonical_json_round_trips(value: Any) -> None:
    text = strict_json.canonical(value)
    assert strict_json.parse(text, "it") == value
    assert strict_json.canonical(strict_json.parse(text, "it")) == text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": "3"}, r"newer minicolumn \(format 3; this one reads up to 2\); upgrade"),
        ({"format_version": "0"}, "there is no format 0"),
        ({"format_version": "01"}, "there is no format 01"),
        ({"format_version": "-1"}, "version is not a number"),
        ({"format_version": "one"}, "version is not a number"),
        ({"format_version": "1" * 5000}, "version is not a number"),
        ({"format_version": "²"}, "not a number"),
        ({"format_version": 1}, "version is not a number"),
        ({"note": 1}, "'note' is not a text"),
        ({"note": None}, "'note' is not a text"),
        ({"note": {}}, "'note' is not a text"),
        ({"": "x"}, "name that is empty"),
        ({"a\nb": "x"}, "not printable"),
        ({"n" * 257: "x"}, "over 256"),
    ],
)
def test_metadata_is_texts_of_a_known_format(change: dict[str, Any], message: str) -> None:
    header = header_of(written())
    header["__metadata__"] |= change
    with pytest.raises(ModelFileError, match=message):
        decode(sealed(header, W.tobytes()))


def test_one_content_has_one_file() -> None:
    data = written({"a": W, "b": W})
    header, body = header_of(data), W.tobytes() * 2
    assert sealed(header, body) == data
    spaced = json.dumps(header)
    shuffled = {"a": header["a"], "b": header["b"], "__metadata__": header["__metadata__"]}
    for variant in (framed(spaced, body), sealed(shuffled, body), framed(json.dumps(header) + " " * 8, body)):
        with pytest.raises(ModelFileError, match="not written the way"):
            decode(variant)


def test_a_wrong_or_missing_digest_is_refused() -> None:
    header = header_of(written())
    for digest in ("0" * 64, header["__metadata__"]["sha256"].upper(), ""):
        header["__metadata__"]["sha256"] = digest
        with pytest.raises(ModelFileError, match="checksum"):
            decode(framed(json.dumps(header, separators=(",", ":")), W.tobytes()))
    del header["__metadata__"]["sha256"]
    with pytest.raises(ModelFileError, match="checksum"):
        decode(framed(json.dumps(header, separators=(",", ":")), W.tobytes()))


def test_truth_values_are_0_or_1() -> None:
    data = written({"w": np.array([True, False])})
    with pytest.raises(ModelFileError, match="boolean other than 0 and 1"):
        decode(sealed(header_of(data), b"\1\2"))


def test_a_header_is_bounded_before_it_is_looked_at() -> None:
    for length in (2**20 + 1, 2**32, 2**63, 2**64 - 1):
        with pytest.raises(ModelFileError, match="header of"):
            decode(struct.pack("<Q", length) + b"{" + bytes(100))
    with pytest.raises(ModelFileError, match="cut off"):
        decode(struct.pack("<Q", 1000) + b"{}")
    with pytest.raises(DataError, match=r"description of .* bytes; at most 1,048,576"):
        encode({}, {"note": "x" * 2**20})


def test_the_number_of_tensors_is_bounded() -> None:
    many = {f"{i}": np.zeros((), np.float32) for i in range(10_001)}
    with pytest.raises(DataError, match="10,001 tensors; at most 10,000"):
        encode(many, {})
    del many["0"]
    assert len(decode(written(many)).tensors) == 10_000


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1j]), np.array([None]), np.ones(2, np.float16)])
def test_other_dtypes_are_not_written(array: np.ndarray) -> None:
    with pytest.raises(DataError, match="expected float32, float64"):
        encode({"w": array}, {})


@pytest.mark.parametrize("name", ["", "a\n", "n" * 257, "__metadata__"])
def test_names_that_cannot_be_read_are_not_written(name: str) -> None:
    with pytest.raises(DataError, match="name"):
        encode({name: W}, {})
    with pytest.raises(DataError, match="name"):
        encode({}, {"sha256": "x"} if name == "__metadata__" else {name: "x"})


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_give_one_line(data: bytes) -> None:
    with pytest.raises(ModelFileError) as caught:
        decode(data)
    assert str(caught.value).isprintable()


def test_limits_are_the_published_ones() -> None:
    assert container.MAX_HEADER_BYTES == 1024**2
    assert container.MAX_FILE_BYTES == 2 * 1024**3
    assert math.prod([8, 10_000]) == container.MAX_RANK * container.MAX_TENSORS
