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


def answer_refusal(headers: Any, proto: Any, refusal: Refused) -> None:
    """Answer as JSON where the request speaks it, else as text; whatever else is sent is not a new request."""
    speaks_json = "json" in f"{headers.get('accept', '')} {headers.get('content-type', '')}".lower()
    as_json = json.dumps({"detail": refusal.detail, "code": refusal.code})
    content_type = "application/json" if speaks_json else "text/plain; charset=utf-8"
    fixed = [("Content-Type", content_type), ("Cache-Control", "no-store"), ("Connection", "close")]
    proto.response_str(
        refusal.status, [*fixed, *refusal.headers], as_json if speaks_json else f"{refusal.detail}\n"
    )
