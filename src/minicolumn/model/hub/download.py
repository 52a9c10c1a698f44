"""Model files of the Hugging Face Hub: found by address, pinned to a commit, kept by the hub's own cache.

    hf://owner/name@revision -> commit -> one .safetensors file, of which nothing is opened but by our reader

Differs     `from_pretrained` of other libraries takes whatever weights there are, pickles among them, and
            follows a branch without a word; here the commit is said
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicolumn.errors import DataError, DataWarning
from minicolumn.model.hub.address import HubAddress, hub_address
from minicolumn.model.hub.client import SECONDS, HubAway, hub_library, said_in_a_line

MOST_BYTES = 1 << 31  # of a model file
_COMMIT_LETTERS = 40


@dataclass(frozen=True)
class HubFile:
    """A model file that is here.

    path        in the hub's cache
    address     that always leads to the same file: with the commit, and with the file
    asked       the address that was asked for
    offline     whether the hub did not answer, and the file is from before
    """

    path: Path
    address: HubAddress
    asked: HubAddress
    offline: bool = False


def fetched(text: str) -> HubFile:
    """Return the model file of an address; it is downloaded where it is not here.

    text        hf://OWNER/NAME, with @REVISION and /FILE where they are needed
    Errors      DataError, in one line: the hub does not answer and the file is not here, there is no such
                model or revision, it has no .safetensors file or several, or one too large
    """
    asked = hub_address(text)
    hub_library()
    if asked.is_pinned and (path := _cached(asked, asked.revision)) is not None:
        return _found(path, asked)
    try:
        with said_in_a_line(asked):
            return _online(asked)
    except HubAway as away:
        path = _cached(asked, _ref(asked))
        if path is None:
            raise DataError(f"{away}; {asked} is not here from before") from None
        return _found(path, asked, offline=True)


def hub_path(text: str) -> Path:
    """Return where the model file of an address lies; a revision that may move is warned of."""
    found = fetched(text)
    if not found.asked.is_pinned:
        warnings.warn(moving(found), DataWarning, stacklevel=3)
    return found.path


def moving(found: HubFile) -> str:
    """Return what to say of a file whose revision may move."""
    here = ", as it was fetched before: the hub does not answer" if found.offline else ""
    return f"{found.asked} is commit {found.address.revision}{here}; {found.address} is always the same file"


def _online(asked: HubAddress) -> HubFile:
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.utils import tqdm

    class Silent(tqdm):  # type: ignore[misc]
        """A bar that draws nothing: the command line has its own."""

        def __init__(self, *args: Any, **said: Any) -> None:
            super().__init__(*args, **{**said, "disable": True})

    info = HfApi().model_info(asked.repository, revision=asked.revision, timeout=SECONDS, files_metadata=True)
    sizes = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    file = _chosen(asked, list(sizes))
    size = sizes[file].size
    if size is not None and size > MOST_BYTES:
        raise DataError(
            f"hub: {file} of {asked.repository} has {size:,} bytes; at most {MOST_BYTES:,} are read"
        )
    path = hf_hub_download(
        asked.repository, file, revision=asked.revision, etag_timeout=SECONDS, tqdm_class=Silent
    )
    found = _found(Path(path), asked, file)
    if found.address.revision == info.sha:  # else the branch moved in between
        _check_sha256(found, sizes[file])
    return found


def _check_sha256(found: HubFile, told: Any) -> None:
    """Compare a file with the sha256 that the hub tells of it, where it does."""
    wanted = getattr(told.lfs, "sha256", None)
    if wanted is None:
        return
    with found.path.open("rb") as stream:
        have = hashlib.file_digest(stream, "sha256").hexdigest()
    if have != wanted:
        raise DataError(
            f"hub: {found.path} is not the file that the hub tells of: its sha256 begins with {have[:8]}, "
            f"not with {wanted[:8]}; remove it, and fetch it again"
        )


def _chosen(asked: HubAddress, names: list[str]) -> str:
    """Return the file that is asked for, or the one there is."""
    models = sorted(name for name in names if name.endswith(".safetensors") and ".." not in name)
    if asked.file in models:
        return asked.file
    if asked.file or not models:
        what = asked.file or "a .safetensors file, and no other is opened"
        raise DataError(f"hub: {asked.repository} at {asked.revision} does not have {what}")
    if len(models) > 1:
        raise DataError(
            f"hub: {asked.repository} has {len(models)} model files; say which: {asked}/{models[0]}, "
            f"{', '.join(models[1:5])}"
        )
    return models[0]


# The hub's cache, as it is documented: refs/REVISION holds a commit, snapshots/COMMIT its files -------------


def _folder(asked: HubAddress) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=asked.repository, repo_type="model")


def _ref(asked: HubAddress) -> str:
    """Return the commit that a revision was when it was last fetched; "" where it never was."""
    if asked.is_pinned:
        return asked.revision
    try:
        return (_folder(asked) / "refs" / asked.revision).read_text()[:_COMMIT_LETTERS]
    except (OSError, UnicodeDecodeError):
        return ""


def _cached(asked: HubAddress, commit: str) -> Path | None:
    """Return the model file of a commit, where it is here and no question."""
    snapshot = _folder(asked) / "snapshots" / commit
    if not commit or not snapshot.is_dir():
        return None
    names = [path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*.safetensors")]
    if asked.file:
        return snapshot / asked.file if asked.file in names else None
    return snapshot / names[0] if len(names) == 1 else None


def _found(path: Path, asked: HubAddress, file: str = "", offline: bool = False) -> HubFile:
    snapshots = _folder(asked) / "snapshots"
    commit, *rest = path.relative_to(snapshots).parts
    return HubFile(path, HubAddress(asked.repository, commit, file or "/".join(rest)), asked, offline)
