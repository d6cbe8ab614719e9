"""The examples of the document are what really comes back; `WRITE_EXAMPLES=1` writes them anew."""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from aftercart.api.schema.operation import EXAMPLES, SHARED
from aftercart.oms.connect import replace_client
from tests.fake_omnitron import FakeOmnitron
from tests.http import (  # each adds its scenarios
    schema_address_scenarios,  # noqa: F401 - each registers its scenarios
    schema_cancel_scenarios,  # noqa: F401 - each registers its scenarios
    schema_intake,  # noqa: F401 - each registers its scenarios
    schema_order_scenarios,  # noqa: F401 - each registers its scenarios
    schema_photos,  # noqa: F401 - each registers its scenarios
    schema_points,  # noqa: F401 - each registers its scenarios
    schema_quotes,  # noqa: F401 - each registers its scenarios
)
from tests.http.schema_check import (
    ONLY_ELSEWHERE,
    assert_matches_schema,
    list_answers,
    list_errors,
    list_operations,
    read_document,
)
from tests.http.schema_scenarios import SCENARIOS, Scenario
from tests.http.schema_world import CALLS, SECRET, World

#: What differs from run to run, and what stands for it in the examples.
VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"), "2026-03-02T09:30:00.000000Z"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    (re.compile("^http://testserver"), "https://shop.example.com"),
)
KEYS = {
    "key": "k3v0y2q8m1x7c5b9n4z6a8s2d1f7g3h5",
    "quote": "eyJ1c2VyIjo1Nywib3JkZXIiOjEwNDIsInZlcnNpb24iOjF9:1vw9Gq:h7Wm2QkX0c",
    "csrf_token": "Qd8vN2mX5rT7yB1cK9wF3hJ6pL4sZ0aGe8uV2iO5tR7nY1bM9xC3kD6qW4jH0fSg",
    "hashed_email": "5d1f0c9a7b3e2d4f6a8c0e1b3d5f7a9c1e3b5d7f9a0c2e4b6d8f0a1c3e5b7d9f",
}
#: A line of a file of examples is shorter.
WIDTH = 110
#: Ids of requests, which come from a sequence, are counted from here.
FIRST_REQUEST = 901
#: The entry of the address book that is there, and what stands for one that is made.
OWN_ADDRESSES, NEW_ADDRESS = {18}, 19


@pytest.fixture
def world(db: None, settings: Settings) -> Iterator[World]:  # noqa: ARG001 - a fixture that only has to be there
    settings.OMNITRON_WEBHOOK_SECRETS = [SECRET]
    settings.PUBLIC_URL = "https://shop.example.com"
    fake = FakeOmnitron()
    with replace_client(fake):
        yield World(fake)


def settle(value: Any) -> Any:
    """Put what stays the same in the place of what differs from run to run."""
    ids = sorted(set(_find_request_ids(value)))
    return _settle(value, {pk: FIRST_REQUEST + place for place, pk in enumerate(ids)})


def _is_request(value: Any) -> bool:
    return isinstance(value, dict) and {"id", "order_item", "reason"} <= set(value)


def _is_new_address(value: Any) -> bool:
    """Return an entry that a scenario has made: those of the world have ids of their own."""
    return isinstance(value, dict) and "hash_data" in value and value["pk"] not in OWN_ADDRESSES


def _find_request_ids(value: Any) -> Iterator[int]:
    if _is_request(value):
        yield value["id"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _find_request_ids(inner)


def _make_placeholder(name: str, value: Any) -> Any:
    return KEYS[name] if name in KEYS and isinstance(value, str) else value


def _settle(value: Any, ids: dict[int, int]) -> Any:
    if isinstance(value, dict):
        settled = {name: _settle(_make_placeholder(name, inner), ids) for name, inner in value.items()}
        if _is_new_address(value):
            settled["pk"] = NEW_ADDRESS
        return {**settled, "id": ids[value["id"]]} if _is_request(value) else settled
    if isinstance(value, list):
        return [_settle(inner, ids) for inner in value]
    if isinstance(value, str):
        for pattern, placeholder in VOLATILE:
            value = pattern.sub(placeholder, value)
    return value


def read_examples(name: str) -> dict[str, dict[str, Any]]:
    path = EXAMPLES / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def write_examples(name: str, examples: dict[str, dict[str, Any]]) -> None:
    ordered = {key: dict(sorted(examples[key].items())) for key in sorted(examples)}
    (EXAMPLES / f"{name}.json").write_text(f"{_write(ordered)}\n", "utf-8")


def _write(value: Any, margin: str = "") -> str:
    """Write JSON, on one line what fits there."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(margin) + len(line) < WIDTH:
        return line
    within = f"{margin} "
    if isinstance(value, list):
        parts, (start, end) = [_write(inner, within) for inner in value], "[]"
    else:
        start, end = "{}"
        parts = [f"{json.dumps(name)}: {_write(inner, within)}" for name, inner in value.items()]
    return f"{start}\n{within}" + f",\n{within}".join(parts) + f"\n{margin}{end}"


def find_shared(operation_id: str, status: str, value: Any) -> str | None:
    """Find the document, with an example for all, that an answer is one of."""
    media = list_operations()[operation_id][2]["responses"][status]["content"]["application/json"]
    schemas = read_document()["components"]["schemas"]
    of_several = schemas.get(media["schema"].get("$ref", "").split("/")[-1], {}).get("oneOf", [])
    named = [(kind.get("$ref", "").split("/")[-1], kind) for kind in (media["schema"], *of_several)]
    return next((name for name, kind in named if name in SHARED and list_errors(value, kind) == []), None)


def _compare(operation_id: str, part: str, name: str, example: dict[str, Any]) -> None:
    written = read_examples(operation_id)
    # What one operation answers otherwise stands with it: where that is, it stays.
    is_own = part == "request" or name in written.get(part, {})
    shared = None if is_own else find_shared(operation_id, part, example["value"])
    if not os.environ.get("WRITE_EXAMPLES"):
        expected = written.get(part, {}).get(name) if shared is None else SHARED[shared]
        assert expected is not None
        assert expected["value"] == example["value"]
        assert shared or expected["summary"] == example["summary"]
    elif shared is None:
        written.setdefault(part, {})[name] = example
        write_examples(operation_id, written)
    else:
        SHARED[shared]["value"] = example["value"]
        write_examples("shared", SHARED)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: f"{s.operation_id}-{s.status}-{s.name}")
def test_an_answer_is_as_documented_and_as_its_example(scenario: Scenario, world: World) -> None:
    response = scenario.run(world)

    assert response.status_code == scenario.status, response.content
    assert_matches_schema(response, scenario.operation_id)
    if scenario.request:
        body = {"summary": scenario.request.replace("_", " ").capitalize(), "value": world.sent}
        _compare(scenario.operation_id, "request", scenario.request, body)
    if response.headers.get("Content-Type") == "application/json" and scenario.summary:
        example = {"summary": scenario.summary, "value": settle(response.json())}
        _compare(scenario.operation_id, str(scenario.status), scenario.name, example)


def test_every_documented_answer_has_a_scenario_and_no_other_has() -> None:
    played = {(scenario.operation_id, scenario.status) for scenario in SCENARIOS}
    documented = {
        (operation_id, status)
        for operation_id in list_operations()
        for status, _, _ in list_answers(operation_id)
    }

    assert played == documented
    assert set(CALLS) == set(list_operations())


def test_no_example_is_left_over() -> None:
    named: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for scenario in SCENARIOS:
        named[scenario.operation_id] |= {
            (str(scenario.status), scenario.name),
            ("request", scenario.request or scenario.name),
        }

    assert {path.stem for path in EXAMPLES.iterdir()} <= {*list_operations(), "shared"}
    for operation_id in list_operations():
        written = {(part, name) for part, names in read_examples(operation_id).items() for name in names}
        assert written <= named[operation_id], operation_id


def _list_examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    for operation_id, (_path, _method, operation) in list_operations().items():
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for part, body in bodies.items():
            for media in body.get("content", {}).values():
                for name, example in media.get("examples", {}).items():
                    value = SHARED[name]["value"] if "$ref" in example else example["value"]
                    yield f"{operation_id} {part} {name}", media["schema"], value


def test_every_example_in_the_document_is_valid() -> None:
    examples = list(_list_examples())

    assert len(examples) > len(SCENARIOS) * 0.7
    for where, schema, value in examples:
        assert list_errors(value, schema) == [], where


def test_every_json_answer_and_every_body_of_the_document_has_an_example() -> None:
    for operation_id, (_path, _method, operation) in list_operations().items():
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for part, body in bodies.items():
            media = body.get("content", {}).get("application/json")
            if body.get("description") in ONLY_ELSEWHERE:
                continue
            assert media is None or media.get("examples"), f"{operation_id} {part}"
