"""Publishing a model file on the Hugging Face Hub, with its page, in one commit."""

from __future__ import annotations

from dataclasses import dataclass

from minicolumn.errors import DataError
from minicolumn.model.artifact import artifact_from_bytes
from minicolumn.model.container import MAX_FILE_BYTES
from minicolumn.model.files import PathLike, read_whole, shown
from minicolumn.model.hub.address import HubAddress, hub_address
from minicolumn.model.hub.card import hub_card, hub_license
from minicolumn.model.hub.client import hub_library, said_in_a_line
from minicolumn.model.model import Model

FILE, PAGE = "model.safetensors", "README.md"


@dataclass(frozen=True)
class Published:
    """What was published: the address that always leads to this file, and the page's address."""

    address: HubAddress
    page: str


def push(
    path: PathLike, to: str, *, license: str | None = None, private: bool = False, card: bool = True
) -> Published:
    """Publish a model file: in a repository, which is made where there is none, in one commit.

    path        of the model file, which is read and checked first
    to          hf://OWNER/NAME, with @BRANCH and /FILE.safetensors where others than main and
                model.safetensors are meant
    license     an identifier of the hub; by default that of the data in the model's card
    private     whether a new repository is seen by its owner alone
    card        whether README.md is written, too, in place of one that is there; git keeps the old one
    Errors      DataError, in one line: no model file, no licence, not allowed, the hub does not answer. Files
                appear together or not at all
    """
    address = hub_address(to)
    if address.is_pinned:
        raise DataError(f"hub: {to}: a commit cannot be changed; say a branch, or none")
    hub_library()
    data = bytes(read_whole(path, MAX_FILE_BYTES))
    model = Model.from_artifact(artifact_from_bytes(data, shown(path)), path)
    file = address.file or FILE
    page = hub_card(model, address.repository, hub_license(model, license), file) if card else None
    with said_in_a_line(address):
        return _published(address, file, data, page, private)


def _published(address: HubAddress, file: str, data: bytes, page: str | None, private: bool) -> Published:
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(library_name="minicolumn")
    api.create_repo(address.repository, private=private, exist_ok=True)
    files = [CommitOperationAdd(file, data)]
    if page is not None:
        files.append(CommitOperationAdd(PAGE, page.encode()))
    done = api.create_commit(
        address.repository, files, commit_message=f"Add {file}", revision=address.revision
    )
    pinned = HubAddress(address.repository, str(done.oid), file)
    return Published(pinned, str(done.commit_url))
