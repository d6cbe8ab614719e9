"""One operation of the API as a decorator: what drf-spectacular needs, with the examples of its file."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)

from aftercart.api.schema import errors

_F = TypeVar("_F", bound=Callable[..., Any])

#: A file for each operation, written by tests/http/test_schema_examples.py from real answers; and one of what many
#: answer alike, by document.
EXAMPLES: Final = Path(__file__).parent / "examples"
SHARED: Final[dict[str, dict[str, Any]]] = json.loads((EXAMPLES / "shared.json").read_text("utf-8"))

#: What a body is made of, and in words what it means.
Answer = tuple[Any, str]

NOT_AUTHENTICATED: Final[Answer] = (errors.NotAuthenticated, "Nobody is logged in.")
CSRF_FAILED: Final[Answer] = (errors.CsrfFailed, "The CSRF token is missing or wrong.")
UNKNOWN_FORMAT: Final[Answer] = (errors.NotFound, "`format` names an unknown format.")
STILL_RUNNING: Final[Answer] = (
    errors.StillRunning,
    "The same write is still being processed: its answer comes with the next try.",
)
KEY_REUSED: Final[Answer] = (errors.KeyReused, "The `Idempotency-Key` belongs to a different write.")
NOT_JSON: Final[Answer] = (errors.UnsupportedMediaType, "The body is labelled as something else than JSON.")
NO_ADDRESS: Final[Answer] = (errors.NotFound, "The address holds a NUL, which none has.")
UNAVAILABLE: Final[Answer] = (
    errors.Unavailable,
    "The database is away. Nothing was changed; try again after `Retry-After` seconds.",
)

#: What a page that shares an address answers with, beside what is said of the JSON.
OF_PAGES: Final = {
    200: "A page.",
    302: "To the page that comes before, such as the log-in.",
    303: "To the page with the outcome.",
    400: "A page that says what is wrong.",
    403: "A page: the CSRF token is missing or wrong.",
    404: UNKNOWN_FORMAT[1],
    405: "A page: it does not take this method.",
}

#: Nonsense counts as none, and says so in the schema: a storefront's client sends what it likes.
PAGE: Final = OpenApiParameter(
    "page",
    {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]},
    description="From 1. A page that is not there is answered with 404.",
)
LIMIT: Final = OpenApiParameter(
    "limit",
    {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 100}, {"type": "string"}]},
    description="Entries a page; also `page_size`. What makes no sense counts as none: 20, and never above 100.",
)
_FORMAT: Final = OpenApiParameter(
    "format",
    str,
    enum=["json"],
    description="JSON whatever `Accept` says; without it see *Formats*. Another value is answered with 404.",
)
_LANGUAGE: Final = OpenApiParameter(
    "Accept-Language",
    str,
    OpenApiParameter.HEADER,
    enum=None,
    description="The language of labels and messages: `en` or `tr`. Anything else gets the shop's language.",
)
ORDER_NUMBER: Final = OpenApiParameter(
    "number",
    str,
    OpenApiParameter.PATH,
    description="The order's number: `ORD-2024-001234`, or 16 digits.",
)
KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 255},
    OpenApiParameter.HEADER,
    description="Names this write for 24 hours: see *Repeats*.",
)
ETAG: Final = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    description="Names the answer as it is; a guest's has none.",
    response=[200, 304],
)
IF_NONE_MATCH: Final = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="An `ETag` of an earlier answer: if it still holds, this one is 304 and has no body.",
)
UNCHANGED: Final[Answer] = (None, "The answer that `If-None-Match` names still holds. No body.")
REPLAYED: Final = OpenApiParameter(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    description="Present when this is the answer to an earlier, equal write.",
    response=[200, 201, 202, 204],
)
_RETRY_AFTER: Final = OpenApiParameter(
    "Retry-After",
    {"type": "string", "pattern": r"^\d+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="Seconds after which it is worth another try.",
    response=[HTTPStatus.TOO_MANY_REQUESTS.value, HTTPStatus.SERVICE_UNAVAILABLE.value],
)
#: Of a 409, which may also be a fresh quote: that bears none.
_RETRY_RUNNING: Final = OpenApiParameter(
    "Retry-After",
    {"type": "string", "pattern": r"^\d+$"},
    OpenApiParameter.HEADER,
    description="Seconds after which the answer may be there: with `still_running`.",
    response=[HTTPStatus.CONFLICT.value],
)
_CHALLENGE: Final = OpenApiParameter(
    "WWW-Authenticate",
    {"type": "string", "enum": ["Session"]},
    OpenApiParameter.HEADER,
    required=True,
    response=[HTTPStatus.UNAUTHORIZED.value],
)
COOKIES: Final = OpenApiParameter(
    "Set-Cookie",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="`sessionid`, `osessionid` and `csrftoken`, as far as they change.",
    response=[200],
)


def operation(  # noqa: PLR0913 (each names a part of an operation, by keyword)
    operation_id: str,
    *,
    tag: str,
    summary: str,
    description: str,
    answers: Mapping[int, Answer],
    request: Any = None,
    parameters: Iterable[OpenApiParameter] = (),
    media_type: str = "application/json",
    picture: str = "",
    has_page: bool = False,
    is_open: bool = False,
    needs_database: bool = True,
    is_bare: bool = False,
) -> Callable[[_F], _F]:
    """Describe an operation, with what most like it answer besides `answers` (`_list_common`).

    `is_open` says that it wants nobody to be logged in, `needs_database` that it is away where that is.
    `has_page` says that a page of HTML shares the address: whoever asks for none of the JSON formats gets that.
    `picture` says what the JPEG is that 200 answers with. `is_bare` leaves out what all others have in common.
    """
    given = list(parameters)
    common = _list_common(is_open=is_open, has_body=request is not None, has_key=KEY in given)
    if needs_database:
        common[503] = UNAVAILABLE
    answers = {**({} if is_bare else common), **answers}
    examples = read_examples(operation_id)
    if KEY in given:
        given.append(REPLAYED)
    if not is_bare:
        given += [_FORMAT, _LANGUAGE, _RETRY_AFTER, _RETRY_RUNNING]
    if answers.get(HTTPStatus.UNAUTHORIZED) == NOT_AUTHENTICATED:
        given.append(_CHALLENGE)
    sent = None
    if request is not None:
        sent = {media_type: OpenApiRequest(request, examples=examples.get("request", []))}
    return extend_schema(
        operation_id=operation_id,
        tags=[tag],
        summary=summary,
        description=description,
        parameters=given,
        request=sent,
        responses=_describe_answers(answers, examples, has_page=has_page, picture=picture),
    )


def _describe_answers(
    answers: Mapping[int, Answer],
    examples: Mapping[str, list[OpenApiExample]],
    *,
    has_page: bool,
    picture: str,
) -> dict[Any, Any]:
    responses: dict[Any, Any] = {
        status: OpenApiResponse(body, meaning, [*examples.get(str(status), []), *_list_shared(body)])
        for status, (body, meaning) in answers.items()
    }
    if has_page:
        if HTTPStatus.NOT_FOUND not in answers:  # at the front, which knows of no pages
            responses[404] = OpenApiResponse(*UNKNOWN_FORMAT, _list_shared(errors.NotFound))
        in_json = {status: meaning for status, (body, meaning) in answers.items() if body is not None}
        for status, meaning in {**OF_PAGES, **in_json}.items():
            responses[status, "text/html"] = OpenApiResponse(OpenApiTypes.STR, meaning)
    if picture:
        responses.pop((200, "text/html"), None)
        responses[200, "image/jpeg"] = OpenApiResponse(OpenApiTypes.BINARY, picture)
    return dict(sorted(responses.items(), key=_get_status))


def _list_common(*, is_open: bool, has_body: bool, has_key: bool) -> dict[int, Answer]:
    """List what an operation answers for what it is: to whom, of what body, under what key."""
    of_callers = {} if is_open else {401: NOT_AUTHENTICATED} | ({403: CSRF_FAILED} if has_body else {})
    return of_callers | ({415: NOT_JSON} if has_body else {}) | ({422: KEY_REUSED} if has_key else {})


def _get_status(response: tuple[Any, Any]) -> tuple[int, bool]:
    status = response[0]
    return (status[0], True) if isinstance(status, tuple) else (status, False)


def _list_shared(body: Any) -> list[OpenApiExample]:
    """List the examples that the documents of an answer have wherever they are answered."""
    kinds = body.serializers if isinstance(body, PolymorphicProxySerializer) else [body]
    names = [kind.__name__ for kind in kinds if isinstance(kind, type)]
    return [OpenApiExample(name, **SHARED[name]) for name in names if name in SHARED]


@cache
def read_examples(operation_id: str) -> dict[str, list[OpenApiExample]]:
    """Read an operation's examples, by status; those of its body under `request`."""
    path = EXAMPLES / f"{operation_id}.json"
    if not path.exists():
        return {}
    return {
        status: [OpenApiExample(name, **example) for name, example in named.items()]
        for status, named in json.loads(path.read_text("utf-8")).items()
    }
