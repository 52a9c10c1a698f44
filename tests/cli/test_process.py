"""What only a process of its own can show: signals, pipes, terminals, full disks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import minicolumn as mc

PROGRAM = [sys.executable, "-m", "minicolumn"]
LONG = ["--members", "1", "--hidden", "4", "--epochs", "1000000", "--patience", "1000000"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_saves_what_was_learnt(tmp_path: Path, environment: dict[str, str]) -> None:
    words = [*PROGRAM, "train", "penguins", *LONG]
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "epoch 1/" in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted after" in err
    assert err.count("\n") == 1
    assert "penguins.safetensors" in err
    assert "ROC AUC" in out
    assert mc.load(tmp_path / "penguins.safetensors").training["stopped"] == "interrupted"


@pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason="needs a named pipe below /proc, as shells make them"
)
def test_an_interrupt_before_anything_was_learnt(tmp_path: Path, environment: dict[str, str]) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    words = [*PROGRAM, "train", "/proc/self/cwd/rows.csv", "--target", "a"]  # elsewhere a pipe is refused
    with (
        subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process,
        open(tmp_path / "rows.csv", "wb"),
    ):  # returns when the program reads, and gives it nothing
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted; nothing was saved\n")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_disk_that_fills_up_during_the_training(tmp_path: Path, environment: dict[str, str]) -> None:
    # The probe before the training writes 64 KiB; the model is larger than the 100 kB that a file may have.
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
    code = f"{limit} from minicolumn.cli import main; sys.exit(main(sys.argv[1:]))"
    (tmp_path / "m.safetensors").write_bytes(b"older")
    words = ["train", "penguins", "--hidden", "256,256", "--epochs", "1", "--out", "m.safetensors"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "File too large" in done.stderr
    assert "ROC AUC" in done.stdout
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("m.safetensors", b"older")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout(models: Path, tables: Path, environment: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        for words in (["predict", models / "shops.safetensors", tables / "shops.csv"], ["--help"]):
            done = subprocess.run(
                [*PROGRAM, *map(str, words)],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
                check=False,
            )
            assert done.returncode == 2
            assert done.stderr.endswith("error: cannot write: No space left on device\n")


def test_a_reader_that_has_seen_enough(
    models: Path, tables: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    lines = (tables / "shops.csv").read_text().splitlines()
    (tmp_path / "many.csv").write_text("\n".join([lines[0], *lines[1:] * 200]) + "\n")
    command = f"{sys.executable} -m minicolumn predict {models / 'shops.safetensors'} many.csv | head -2"
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
    )
    assert "Broken pipe" not in done.stderr
    assert re.match(r"\d+,\d+ cells begin like a formula", done.stderr)  # which is all that is said
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals of POSIX")
def test_a_terminal_gets_a_bar(tmp_path: Path, environment: dict[str, str]) -> None:
    import pty

    outer, inner = pty.openpty()
    env = {**environment, "TERM": "xterm", "COLUMNS": "80"}
    words = [*PROGRAM, "train", "penguins", "--hidden", "8", "--epochs", "600", "--patience", "600"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=inner, stderr=inner, env=env) as process:
        os.close(inner)
        seen = b""
        while True:
            try:
                part = os.read(outer, 65536)
            except OSError:  # the last process of a terminal has gone
                break
            if not part:
                break
            seen += part
    os.close(outer)
    assert process.returncode == 0, seen
    text = seen.decode()
    assert " left" in text
    assert "steps/s" in text
    assert "\x1b[2K" in text, "drawn anew in place"
    assert "Saved" in text


# Ctrl-C as a module is looked for: in a destructor, where an exception would be printed and forgotten.
STRUCK = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
where, lost = sys.argv.pop(1), sys.argv.pop(1) == "lost"
class Struck:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == where:
            if lost:
                Struck()
            else:
                os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from minicolumn.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("module", "kind", "command"),
    [
        ("minicolumn.cli.process", "raised", "--help"),
        ("minicolumn.errors", "raised", "--help"),
        ("minicolumn.cli.run", "lost", "--help"),
        ("rich.text", "lost", "--help"),
        ("minicolumn.cli.train_job", "lost", "train penguins"),
        ("polars", "lost", "train penguins"),
    ],
)
def test_an_interrupt_while_parts_are_loaded_ends_the_process_in_one_line(
    module: str, kind: str, command: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    words = [sys.executable, "-c", STRUCK, module, kind, *command.split()]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (130, "interrupted; nothing was saved\n")
    assert list(tmp_path.iterdir()) == []
