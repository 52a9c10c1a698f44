"""Decoders of binary tables, run in a process of their own first: damaged files can abort a process.

This file is a program too, `python -c` of its own source, that knows nothing but the standard library, Polars
and fastexcel. What the program answers is one line of JSON and bytes: `apart.py` is the other side.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

_SLACK = 1 << 30  # of address space, for threads and what allocators set aside
_BYTES = {"Boolean": 0.125, "Int8": 1, "UInt8": 1, "Int16": 2, "UInt16": 2, "String": 16, "Binary": 16}


class TooLarge(ValueError):
    """A table takes more memory than it may."""


class Unfit(ValueError):
    """A file is sound, but not as it was asked for; the text says why."""


def decode(job: str, data: bytes) -> Any:
    """Return the Polars frame of a Parquet or Arrow file, or of JSON."""
    import polars

    stream = io.BytesIO(data)
    if job == "parquet":
        return polars.read_parquet(stream)
    if job == "ipc":
        return polars.read_ipc(stream)
    if job == "ipc_stream":
        return polars.read_ipc_stream(stream)
    if job == "ndjson":
        return polars.read_ndjson(stream, infer_schema_length=None)
    return polars.read_json(stream, infer_schema_length=None)


def answer(job: str, data: bytes, limit: int, sheet: str | int | None) -> tuple[dict[str, Any], bytes]:
    """Return what is found of a file, and text where that is asked for.

    job         of `decode`: only the size of the frame is returned; "zstd" or "excel": text is
    """
    if job == "zstd":
        return {}, _lines(data)
    if job == "excel":
        return _sheet(data, sheet)
    if job == "parquet":
        _check_metadata(data, limit)
    frame = decode(job, data)
    if frame.estimated_size() > limit:
        raise TooLarge(f"{frame.height:,} rows of {frame.width:,} columns")
    return {"size": frame.estimated_size()}, b""


def _check_metadata(data: bytes, limit: int) -> None:
    """Refuse a Parquet file whose rows and types alone say that it takes too much."""
    import polars

    schema = polars.read_parquet_schema(io.BytesIO(data))
    rows = polars.scan_parquet(io.BytesIO(data)).select(polars.len()).collect().item()
    least = rows * sum(_BYTES.get(str(dtype), 4) for dtype in schema.values())
    if least > limit:
        raise TooLarge(f"{rows:,} rows of {len(schema):,} columns")


def _lines(data: bytes) -> bytes:
    """Return the text in zstd frames: Polars unpacks them where Python before 3.14 cannot."""
    import polars

    frame = polars.read_csv(
        data,
        has_header=False,
        separator="\x01",
        quote_char=None,
        infer_schema=False,
        new_columns=["line"],
    )
    text = io.BytesIO()
    frame.write_csv(text, include_header=False, quote_style="never", separator="\x01", null_value="")
    return text.getvalue()


def _sheet(data: bytes, sheet: str | int | None) -> tuple[dict[str, Any], bytes]:
    """Return the names of all sheets, that of the one which is read, and its cells as CSV."""
    import fastexcel

    book = fastexcel.read_excel(data)
    names = list(book.sheet_names)
    if not names:
        raise Unfit("it has no sheets")
    chosen = names[0]
    if isinstance(sheet, str):
        chosen = sheet
    elif sheet is not None:
        chosen = names[sheet - 1] if sheet <= len(names) else f"number {sheet}"
    if chosen not in names:
        raise Unfit(f"it has no sheet {chosen!r}; there are {', '.join(map(repr, names[:20]))}")
    frame = book.load_sheet(chosen, header_row=None, dtypes="string").to_polars()
    if not frame.width:
        raise Unfit(f"its sheet {chosen!r} is empty")
    text = io.BytesIO()
    frame.write_csv(text, include_header=False, quote_style="necessary")
    return {"sheets": names, "sheet": chosen}, text.getvalue()


def _bound_memory(extra: int) -> None:
    """Bound the address space of this process, so that no file takes all memory; keep no core."""
    try:
        import resource

        with open("/proc/self/statm") as statm:
            taken = int(statm.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return  # what is decoded is still measured
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = taken + extra + _SLACK
    resource.setrlimit(
        resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
    )


def main() -> None:
    """Answer one request: its settings as an argument, its bytes on standard input."""
    told = json.loads(sys.argv[1])
    sys.path[:] = told["path"]
    found: dict[str, Any]
    text = b""
    try:
        import polars  # noqa: F401  (before the bound: what it takes is not the file's)

        data = sys.stdin.buffer.read()
        _bound_memory(2 * told["limit"] + len(data))
        found, text = answer(told["job"], data, told["limit"], told["sheet"])
    except TooLarge as error:
        found = {"too_large": str(error)}
    except Unfit as error:
        found = {"unfit": str(error)}
    except MemoryError:
        found = {"too_large": "more than that"}
    except BaseException as error:  # a panic of Polars is none of Exception
        found = {"error": (str(error).splitlines() or [type(error).__name__])[0][:200]}
    sys.stdout.buffer.write(json.dumps(found).encode() + b"\n" + text)


if __name__ == "__main__":
    main()
