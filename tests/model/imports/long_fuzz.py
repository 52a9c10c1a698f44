"""Import damaged files by the ten thousand: each becomes a model, or is refused in one line.

    python tests/model/imports/long_fuzz.py --mutants 10000          of each golden file

An audit hook counts imports, opened files and started processes, of which there must be none but the file
itself. The address space is limited to 256 MB more than the process has when everything is loaded.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import mutants
import watch

from minicolumn.errors import ModelFileError
from minicolumn.model.imports import import_file

SLOW = 1.0  # seconds of processor time
HEADROOM = 256 * 1024**2


def unexplained(events: list[str]) -> list[str]:
    """Return events but those of looking up a setting, for which Python compiles our own annotation."""
    found, left = [], iter(events)
    for event in left:
        if event.startswith("compile(b'Annotated["):
            next(left, None)  # its exec
        elif not (event.startswith("object.__getattr__(<function ") and "__kwdefaults__" in event):
            found.append(event)
    return found


def judged(path: Path, options: dict) -> tuple[str, float]:
    """Import a file; return "model", "refused" or what went wrong, and the processor time."""
    began, verdict = time.process_time(), "model"
    with watch.watching(str(path)) as events:
        try:
            import_file(path, **options)
        except ModelFileError as error:
            said = str(error)
            whole = said.isprintable() and "\n" not in said and len(said) < 4_000
            verdict = "refused" if whole else f"not one line: {said!r:.200}"
        except Exception as error:
            verdict = f"{type(error).__name__}: {error!r:.200}"
    if (strange := unexplained(events)) and verdict in ("model", "refused"):
        verdict = f"events: {strange[:3]}"
    return verdict, time.process_time() - began


def main() -> int:
    """Run the campaign; the exit code is 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="files whose names begin so")
    wanted = parser.parse_args()
    wrong, slowest = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for source in mutants.golden():  # everything is loaded before the limit
            import_file(source, **mutants.OPTIONS.get(mutants.name_of(source), {}))
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + HEADROOM, used + HEADROOM))
        watch.install()
        for source in (path for path in mutants.golden() if path.name.startswith(wanted.only)):
            path, tally = Path(folder, f"mutant{''.join(source.suffixes)}"), {"model": 0, "refused": 0}
            options = mutants.OPTIONS.get(mutants.name_of(source), {})
            for data in itertools.islice(mutants.mutants(source, wanted.seed), wanted.mutants):
                path.write_bytes(data)
                verdict, seconds = judged(path, options)
                slowest = max(slowest, seconds)
                if verdict not in tally or seconds > SLOW:
                    wrong += 1
                    kept = Path(tempfile.gettempdir(), f"import-mutant-{wrong}{''.join(source.suffixes)}")
                    kept.write_bytes(data)
                    print(f"{source.name}: {verdict} in {seconds:.2f} s, kept as {kept}")
                tally[verdict] = tally.get(verdict, 0) + 1
            print(f"{source.name}: {tally['model']:,} models, {tally['refused']:,} refused")
    print(f"{wrong} wrong; the slowest took {slowest:.3f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
