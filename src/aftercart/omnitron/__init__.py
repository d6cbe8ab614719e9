"""The dialogue with the back office Omnitron (contract section 8), and the only importer of an HTTP library.

What others need stands here; it knows nothing of orders, and reads Django's settings in `connect` alone.
"""

from aftercart.omnitron.client import ContentType, Dialogue, Omnitron
from aftercart.omnitron.connect import get_client, replace_client
from aftercart.omnitron.errors import AnswerUnknown, Code, NotFound, NotSent, OmnitronError, Refused
from aftercart.omnitron.messages import (
    AddressChange,
    CancelCommand,
    RemoteAddress,
    RemoteItem,
    RemoteOrder,
    RemoteReason,
    RemoteRequest,
    RequestDraft,
)

__all__ = [
    "AddressChange",
    "AnswerUnknown",
    "CancelCommand",
    "Code",
    "ContentType",
    "Dialogue",
    "NotFound",
    "NotSent",
    "Omnitron",
    "OmnitronError",
    "Refused",
    "RemoteAddress",
    "RemoteItem",
    "RemoteOrder",
    "RemoteReason",
    "RemoteRequest",
    "RequestDraft",
    "get_client",
    "replace_client",
]
