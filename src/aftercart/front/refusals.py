"""Answers that the front gives by itself, without Django, and then closes the connection."""

import json
from typing import Any


class Refused(Exception):
    """The front does not pass this request on; `status`, `code` and the sentence `detail` are its answer."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers


def make_busy() -> Refused:
    """Make the refusal of what there is no room or no time for now."""
    detail = "We are briefly unavailable. Please try again in a moment."
    return Refused(503, "unavailable", detail, headers=(("Retry-After", "1"),))


def answer_refusal(headers: Any, proto: Any, refusal: Refused) -> None:
    """Answer a browser as text and everybody else as JSON; whatever else is sent is not a new request."""
    is_browser = "text/html" in headers.get("accept", "").lower()
    content_type = "text/plain; charset=utf-8" if is_browser else "application/json"
    as_json = json.dumps({"detail": refusal.detail, "code": refusal.code})
    fixed = [("Content-Type", content_type), ("Cache-Control", "no-store"), ("Connection", "close")]
    proto.response_str(
        refusal.status, [*fixed, *refusal.headers], f"{refusal.detail}\n" if is_browser else as_json
    )
