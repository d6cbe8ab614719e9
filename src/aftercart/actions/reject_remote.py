"""Read requests of Omnitron's own queue, and reject them."""

from collections.abc import Iterable
from contextlib import suppress

from aftercart.omnitron.client import Dialogue
from aftercart.omnitron.errors import NotFound, Refused
from aftercart.omnitron.messages import RemoteRequest


def reject_remote(talk: Dialogue, *, channel_id: int, pks: Iterable[int], reason: str) -> list[RemoteRequest]:
    """Reject requests and give them as they stand then; those that Omnitron does not know are left out.

    One that had been decided there already keeps that decision. Raises `OmnitronError` when they can't be read.
    """
    found = []
    for pk in pks:
        with suppress(Refused):  # decided there already, or an earlier try of ours came through
            talk.reject_request(channel_id=channel_id, pk=pk, reason=reason)
        found += read_remote(talk, channel_id=channel_id, pks=[pk])
    return found


def read_remote(talk: Dialogue, *, channel_id: int, pks: Iterable[int]) -> list[RemoteRequest]:
    """Read requests; those that Omnitron does not know are left out."""
    found = []
    for pk in pks:
        with suppress(NotFound):
            found.append(talk.read_request(channel_id=channel_id, pk=pk))
    return found
