"""Text as zstd frames, for tests of what reads them."""

from __future__ import annotations

import inspect
import io

import polars

# Older polars read zstd and write none; what is tested here with them is a frame that packs nothing.
PACKS = "compression" in inspect.signature(polars.DataFrame.write_csv).parameters
MAGIC, SINGLE_SEGMENT, MOST = b"\x28\xb5\x2f\xfd", b"\xe0", 1 << 17


def zstd(text: bytes) -> bytes:
    """Return a CSV text as a zstd frame, by the writer of polars if it has one."""
    if not PACKS:
        return raw_frame(text)
    packed = io.BytesIO()
    polars.read_csv(text, infer_schema=False).write_csv(packed, compression="zstd")
    return packed.getvalue()


def raw_frame(data: bytes) -> bytes:
    """Return bytes as raw blocks of one zstd frame that says its size (RFC 8878, section 3.1.1)."""
    parts = [data[at : at + MOST] for at in range(0, len(data), MOST)]
    last = len(parts) - 1
    blocks = [(len(part) << 3 | (k == last)).to_bytes(3, "little") + part for k, part in enumerate(parts)]
    return MAGIC + SINGLE_SEGMENT + len(data).to_bytes(8, "little") + b"".join(blocks)
