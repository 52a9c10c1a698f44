"""The hub's own client, where it is installed, and what its errors mean in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minicolumn.errors import DataError, MinicolumnError, one_line
from minicolumn.model.hub.address import HubAddress

SECONDS = 15.0  # without an answer


class HubAway(DataError):
    """The hub does not answer; what was fetched before may still be here."""


def hub_library() -> Any:
    """Return the package huggingface_hub.

    Errors      DataError with the command that installs it
    """
    try:
        import huggingface_hub
    except ImportError:
        raise DataError(
            "hub: addresses that begin with hf:// need the package huggingface_hub: "
            "pip install 'minicolumn[hub]'"
        ) from None
    return huggingface_hub


@contextmanager
def said_in_a_line(address: HubAddress) -> Iterator[None]:
    """Turn the errors of huggingface_hub into one line each.

    Errors      HubAway where nobody answers, or the answer is that the hub is in trouble; DataError else
    """
    hub_library()
    from huggingface_hub import errors as known

    try:
        yield
    except MinicolumnError:
        raise
    except known.GatedRepoError:
        raise DataError(f"hub: {address} is gated; ask for access on its page, then hf auth login") from None
    except known.RevisionNotFoundError:
        raise DataError(f"hub: {address.repository} has no revision {address.revision!r}") from None
    except known.RepositoryNotFoundError:
        raise DataError(
            f"hub: there is no model {address.repository}, or you may not see it: hf auth login"
        ) from None
    except known.EntryNotFoundError:
        raise DataError(f"hub: {address} is not there") from None
    except known.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        if status in (401, 403):
            raise DataError(f"hub: {address.repository}: not allowed ({status}); hf auth login") from None
        if status >= 500 or status == 429:
            raise HubAway(f"hub: the hub is in trouble ({status}); try again later") from None
        raise DataError(f"hub: {address}: {one_line(error)}") from None
    except (_http_error(), OSError) as error:
        raise HubAway(f"hub: the hub does not answer: {one_line(error)}") from None
    except (KeyError, ValueError) as error:  # an answer that the client does not understand
        raise DataError(f"hub: {address}: {one_line(error)}") from None


def _http_error() -> type[Exception]:
    """Return the class of errors of the HTTP library that the client uses, whichever that is."""
    from huggingface_hub.errors import HfHubHTTPError

    return next(kind for kind in HfHubHTTPError.__mro__[1:] if issubclass(kind, Exception))
