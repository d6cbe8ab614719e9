"""Hold answers against the OpenAPI document: what is not documented must not occur."""

import json
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from aftercart.api.schema.operation import NO_ADDRESS, OF_PAGES
from aftercart.api.schema.views import build_document

#: Headers that mean something to a client of the API; each answer that bears one must say so.
DOCUMENTED_HEADERS = ("Idempotency-Replayed", "Retry-After", "WWW-Authenticate", "Set-Cookie")
_URI = "urn:openapi"
#: What pages and the front say has its tests there.
ONLY_ELSEWHERE = [
    NO_ADDRESS[1],
    *(meaning for status, meaning in OF_PAGES.items() if status != HTTPStatus.NOT_FOUND),
]


@cache
def read_document() -> dict[str, Any]:
    """Read the document as it is served."""
    document: dict[str, Any] = json.loads(build_document())
    return document


def list_operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """List the operations by id: path, method, operation."""
    return {
        operation["operationId"]: (path, method, operation)
        for path, methods in read_document()["paths"].items()
        for method, operation in methods.items()
    }


def list_answers(operation_id: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """List an operation's answers: status, content type ("" for none), response.

    What is only said of the pages that share addresses, or by the front, has no scenario here.
    """
    _path, _method, operation = list_operations()[operation_id]
    for status, response in operation["responses"].items():
        if response["description"] in ONLY_ELSEWHERE:
            continue
        for content_type in response.get("content", {"": None}):
            yield int(status), content_type, response


@cache
def _make_registry() -> Registry[Any]:
    resource = DRAFT202012.create_resource(read_document())
    registry: Registry[Any] = Registry().with_resource(_URI, resource)
    return registry


def list_errors(value: Any, schema: dict[str, Any]) -> list[str]:
    """List in what a value differs from a schema of the document, place by place."""
    text = json.dumps(schema).replace('"#/components/', f'"{_URI}#/components/')
    validator = Draft202012Validator(
        json.loads(text), registry=_make_registry(), format_checker=FormatChecker()
    )
    errors = validator.iter_errors(value)
    return [f"{error.json_path}: {_explain(error)}" for error in errors]


def _explain(error: Any) -> str:
    inner = "; ".join(f"{part.json_path}: {part.message}" for part in error.context or ())
    return f"{error.message[:300]} ({inner[:1500]})" if inner else error.message[:300]


def assert_matches_schema(response: Any, operation_id: str) -> None:
    """Assert that an answer is one that the document tells of: status, content type, headers, every field."""
    operation = list_operations()[operation_id][2]
    documented = operation["responses"].get(str(response.status_code))
    assert documented is not None, f"{operation_id}: status {response.status_code} is not documented"
    _assert_headers(response, documented, operation_id)
    content = documented.get("content", {})
    if not content:
        assert response.content == b"", f"{operation_id}: a body where none is documented"
        return
    content_type = response.headers["Content-Type"].split(";")[0]
    assert content_type in content, f"{operation_id} {response.status_code}: {content_type} is not documented"
    value = (
        response.json() if content_type == "application/json" else response.content.decode(errors="replace")
    )
    errors = list_errors(value, content[content_type]["schema"])
    assert errors == [], f"{operation_id} {response.status_code}: {errors}\n{json.dumps(value)[:2000]}"


def _assert_headers(response: Any, documented: dict[str, Any], operation_id: str) -> None:
    documented_headers = documented.get("headers", {})
    for name in DOCUMENTED_HEADERS:
        value = "set" if name == "Set-Cookie" and response.cookies else response.headers.get(name)
        where = f"{operation_id} {response.status_code}: {name}"
        if value is None:
            assert not documented_headers.get(name, {}).get("required"), f"{where} is missing"
        elif name == "Set-Cookie":
            continue  # Django sets or clears one wherever it sees need
        else:
            assert name in documented_headers, f"{where} is not documented"
            assert list_errors(value, documented_headers[name]["schema"]) == [], f"{where} is {value!r}"
