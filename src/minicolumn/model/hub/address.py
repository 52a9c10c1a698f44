"""Addresses of the Hugging Face Hub: hf://owner/name, with a revision and a file where they are said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from minicolumn.errors import DataError
from minicolumn.model.files import shown

SCHEME = "hf://"
_WORD = r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9_])?"
_FORM = re.compile(
    rf"hf://(?P<owner>{_WORD})/(?P<name>{_WORD})(?:@(?P<revision>refs/[\w-]+/[\w.-]+|[\w.-]+))?"
    r"(?P<file>(?:/[\w.-]+)+\.safetensors)?",
    re.ASCII,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubAddress:
    """A place on the hub.

    repository  OWNER/NAME
    revision    a branch, a tag or a commit; "main" where none is said
    file        in the repository; "" for its one .safetensors file
    """

    repository: str
    revision: str = "main"
    file: str = ""

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which always has the same files."""
        return _COMMIT.fullmatch(self.revision) is not None

    def __str__(self) -> str:
        return f"{SCHEME}{self.repository}@{self.revision}" + (f"/{self.file}" if self.file else "")


def is_hub(path: Any) -> bool:
    """Return whether something is an address of the hub rather than a path.

    >>> is_hub("hf://owner/name"), is_hub("model.safetensors")
    (True, False)
    """
    return isinstance(path, str) and path.startswith(SCHEME)


def hub_address(text: str) -> HubAddress:
    """Read an address of the hub.

    Errors      DataError, in one line

    >>> hub_address("hf://owner/name@v1")
    HubAddress(repository='owner/name', revision='v1', file='')
    >>> hub_address("hf://owner/name/deep/model.safetensors").file
    'deep/model.safetensors'
    """
    found = _FORM.fullmatch(text) if len(text) < 500 else None
    if found is None or ".." in text:
        raise DataError(
            f"hub: {shown(text[:200])}: expected hf://OWNER/NAME, hf://OWNER/NAME@REVISION, or a file "
            "with .safetensors behind either"
        )
    repository = f"{found['owner']}/{found['name']}"
    return HubAddress(repository, found["revision"] or "main", (found["file"] or "").lstrip("/"))
