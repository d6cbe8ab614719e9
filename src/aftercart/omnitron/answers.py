"""What an answer of Omnitron's means: a success with its JSON, or one of the three errors.

The table is contract section 8 read with `errors`: a read that fails in passing applied nothing, a write that
got no reliable answer may have been applied.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from aftercart.lib.clock import get_now
from aftercart.lib.foreign_json import read_foreign_json
from aftercart.oms.errors import (
    AnswerUnknown,
    Code,
    NotFound,
    NotSent,
    OmsError,
    Refused,
    say_refused,
)
from aftercart.outbound.transport import NoAnswer, RawAnswer

#: No refusal is longer than this in our records: sentences, and characters in each.
MAX_MESSAGES = 20
MAX_MESSAGE_LENGTH = 500

#: In seconds.
LONGEST_RETRY_AFTER = 3600.0
#: What is taken for a code of Omnitron's; anything else could forge a line of the log.
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,80}")

_DETAILS: Final[dict[str, str]] = {
    Code.UNREACHABLE: "Omnitron could not be reached.",
    Code.TIMEOUT: "Omnitron did not answer in time.",
    Code.CONNECTION_LOST: "The connection to Omnitron broke before its answer was complete.",
    Code.SERVER_ERROR: "Omnitron answered with an error of its own.",
    Code.REDIRECTED: "Omnitron answered with a redirect, which is not followed.",
    Code.NOT_JSON: "Omnitron's answer is not JSON.",
    Code.TOO_LARGE: "Omnitron's answer is larger than is read.",
    Code.MALFORMED: "Omnitron's answer lacks what was to be in it.",
    Code.DEADLINE_OVER: "The time for the dialogue with Omnitron is over.",
    Code.CLAIM_LOST: "Somebody else had gone on with it before it was sent.",
}


def make_failure(code: str, *, is_read: bool, has_left: bool = True, status: int | None = None) -> OmsError:
    """Make the error of a call without a reliable answer: `NotSent` if nothing can have been applied."""
    kind = NotSent if is_read or not has_left else AnswerUnknown
    return kind(_DETAILS[code], code=code, status=status)


def judge_silence(silence: NoAnswer, *, is_read: bool) -> OmsError:
    """Make the error of a call that got no whole answer."""
    return make_failure(silence.code, is_read=is_read, has_left=silence.has_left, status=silence.status)


def judge(answer: RawAnswer, *, is_read: bool, secrets: Iterable[str] = ()) -> Any:
    """Give the JSON of a success (None for an empty body), or raise what the answer means.

    `secrets` are taken out of Omnitron's sentences: it may quote an IBAN that it refuses.
    """
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        try:
            return read_json(answer.body)
        except ValueError:
            raise make_failure(Code.NOT_JSON, is_read=is_read, status=status) from None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise NotSent(
            "Omnitron asks us to slow down.",
            code=Code.THROTTLED,
            status=status,
            retry_after=read_retry_after(answer.headers),
        )
    if status == HTTPStatus.UNAUTHORIZED:
        raise NotSent("Omnitron does not take our token.", code=Code.UNAUTHORIZED, status=status)
    if status == HTTPStatus.REQUEST_TIMEOUT:
        raise make_failure(Code.TIMEOUT, is_read=is_read, status=status)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _read_refusal(answer, is_read=is_read, secrets=secrets)
    code = Code.SERVER_ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Code.REDIRECTED
    raise make_failure(code, is_read=is_read, status=status)


def read_json(body: bytes) -> Any:
    """Read JSON, numbers with a fraction as `Decimal`; None for an empty body. Raises ValueError."""
    if not body.strip():
        return None
    return read_foreign_json(body, parse_float=Decimal, parse_constant=_refuse_constant)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After`, in seconds or as a date, as seconds from now; None if it says neither.

    At most `LONGEST_RETRY_AFTER`: a wrong header must not stop everything for years.
    """
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - get_now()).total_seconds()), LONGEST_RETRY_AFTER)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _read_refusal(answer: RawAnswer, *, is_read: bool, secrets: Iterable[str]) -> Refused:
    try:
        body = read_json(answer.body)
    except ValueError:
        body = None
    is_absent = is_read and answer.status == HTTPStatus.NOT_FOUND
    kind = NotFound if is_absent else Refused
    code: str = Code.NOT_FOUND if answer.status == HTTPStatus.NOT_FOUND else Code.REFUSED
    if isinstance(body, dict):
        own = body.get("code")
        if isinstance(own, list) and own:
            own = own[0]
        if isinstance(own, str) and _CODE.fullmatch(own):
            code = own
    hidden = [secret for secret in secrets if secret]
    messages = []
    for sentence in _flatten(body):
        text = sentence
        for secret in hidden:
            text = text.replace(secret, "…")
        messages.append(text[:MAX_MESSAGE_LENGTH])
        if len(messages) == MAX_MESSAGES:
            break
    detail = " ".join(messages) or say_refused(answer.status)
    return kind(detail, code=code, status=answer.status, messages=messages)


def _flatten(value: Any, key: str = "") -> Iterator[str]:
    """Give the sentences of an error body in any of DRF's shapes: text, list, or object of these."""
    if key == "code":
        return
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif isinstance(value, list):
        for part in value:
            yield from _flatten(part)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _flatten(part, name)
