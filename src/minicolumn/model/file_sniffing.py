"""File type detection by magic numbers: to say what a file is that is no model, never to read it.

Source      the formats' own specifications: HDF5, GGUF, .npy, ZIP (APPNOTE.TXT), Parquet, gzip (RFC 1952),
            zstd (RFC 8878), zlib (RFC 1950), tar (POSIX ustar), the opcodes of Python's pickle
"""

from __future__ import annotations

# The first bytes that settle it.
_MAGIC = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (perhaps Keras weights)"),
    (b"GGUF", "a GGUF file"),
    (b"\x93NUMPY", "a NumPy array file"),
    (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "a PyTorch checkpoint"),
    (b"PAR1", "a Parquet table"),
    (b"ARROW1", "an Arrow table"),
    (b"\x1f\x8b", "a gzip-compressed file"),
    (b"\x28\xb5\x2f\xfd", "a zstd-compressed file"),
    (b"\xfd7zXZ\x00", "an xz-compressed file"),
    (b"BZh", "a bzip2-compressed file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
    (b"tree\nversion=", "a LightGBM model"),
    (b"<", "an XML or HTML file"),
    (b"{", "a JSON file"),
)

# What a zip archive's list of names gives away.
_ZIP_NAMES = (
    (b"data.pkl", "a PyTorch checkpoint"),
    (b"model.weights.h5", "a Keras model"),
    (b"schema.json", "a skops file"),
    (b".npy", "a NumPy archive (.npz)"),
)


def sniff_format(head: bytes, tail: bytes, wanted: str = "a minicolumn model") -> str:
    """Detect which other format a file has, told as the end of a sentence.

    head, tail  the file's first and last bytes, up to 64 KiB of each; zip archives list names at the end
    wanted      what the file should have been
    Returns     "is ..., not a minicolumn model"; "unknown data" where nothing fits

    >>> sniff_format(b"GGUF....", b"")
    'is a GGUF file, not a minicolumn model'
    >>> sniff_format(b"\\x80\\x04\\x95", b"")
    'is a Python pickle, not a minicolumn model'
    """
    if not head:
        return f"is empty, not {wanted}"
    return f"is {_kind(head, tail)}, not {wanted}"


def _kind(head: bytes, tail: bytes) -> str:
    """Return the name of a format, with its article."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"PK"):
        return next((kind for name, kind in _ZIP_NAMES if name in head + tail), "a zip archive")
    if head[5:10] == b'\0\0\0{"':  # the length of its header in eight bytes, and the header
        return "a safetensors file"
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model"
    if head[257:262] == b"ustar":
        return "a tar archive"
    return (
        _pickle_kind(head) or _compressed_kind(head) or _onnx_kind(head) or _text_kind(head) or "unknown data"
    )


def _pickle_kind(head: bytes) -> str | None:
    """Name a pickle: from protocol 2 on by its first bytes, the text protocols by their first opcodes."""
    binary = head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    text = head[:1] in (b"c", b"(") and (b"\n" in head[:80]) and (b"R." in head or b"b." in head)
    if not binary and not text:
        return None
    return "a joblib file (a pickle)" if b"joblib" in head else "a Python pickle"


def _compressed_kind(head: bytes) -> str | None:
    """Name a zlib stream: its first two bytes are a multiple of 31 (RFC 1950, section 2.2)."""
    zlib = head[:1] == b"x" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0
    return "a compressed file (perhaps joblib)" if zlib else None


def _onnx_kind(head: bytes) -> str | None:
    """Name an ONNX model: a protobuf of field 1, a small version, then field 2, 7 or 8."""
    fits = head[:1] == b"\x08" and head[1:2] < b"\x20" and head[2:3] in (b"\x12", b"\x3a", b"\x42")
    return "an ONNX model" if fits else None


def _text_kind(head: bytes) -> str | None:
    """Name a text: printable ASCII in its first 512 bytes."""
    try:
        text = head[:512].decode("ascii")
    except UnicodeDecodeError:
        return None
    return "a text file" if all(c.isprintable() or c in "\r\n\t" for c in text) else None
