"""TLC shows that the specifications hold, and that each thing they insist on is needed."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from aftercart.cancellations.states import (
    CHANGE_MOVES,
    DELIVERY_MOVES,
    FOUND_MOVES,
    LATE_MOVES,
    LEGAL_MOVES,
    NOTICE_MOVES,
    REQUEST_MOVES,
)
from tests.spec.tlc import HOLDS, MODELS, SPECIFICATIONS, read_moves, run_tlc

#: Two submissions, rounds or changes show it, and take seconds.
_SMALL = {"Submission": {"Count": "2"}, "Request": {"Rounds": "2"}, "Address": {"Count": "2"}}
_TLC = pytest.mark.timeout(1_800)


@pytest.mark.deep
@_TLC
@pytest.mark.parametrize("module", MODELS)
def test_no_unit_is_taken_twice_and_nothing_is_forgotten_or_stuck(module: str, tmp_path: Path) -> None:
    said = run_tlc(MODELS[module], tmp_path)

    assert HOLDS in said, said[-3_000:]


@pytest.mark.deep
@_TLC
@pytest.mark.parametrize(
    ("module", "mutation", "refuted"),
    [
        ("Submission", "no sent mark", "Invariant NoUnitTwice is violated"),
        ("Submission", "retried POST", "Invariant NoUnitTwice is violated"),
        ("Submission", "failed reading is absence", "Action property TrueReleases is violated"),
        ("Submission", "no unique index", "Invariant NoUnitTwice is violated"),
        ("Request", "no sent mark", "Invariant NoUnitTwice is violated"),
        ("Request", "retried POST", "Invariant NoUnitTwice is violated"),
        ("Request", "failed reading is absence", "Invariant NoUnitTwice is violated"),
        ("Request", "no unique index", "Invariant NoUnitTwice is violated"),
        ("Address", "no unique index", "Invariant OnePending is violated"),
        ("Address", "no comparison", "Temporal properties were violated"),
    ],
)
def test_without_it_the_specification_does_not_hold(
    module: str, mutation: str, refuted: str, tmp_path: Path
) -> None:
    model = MODELS[module]
    smaller = replace(model, constants={**model.constants, **_SMALL[module]})
    if refuted.startswith("Invariant"):  # alone: another may be violated before it
        smaller = replace(smaller, invariants=(refuted.split()[1],), properties=())

    said = run_tlc(smaller, tmp_path, mutation=mutation)

    assert refuted in said, said[-3_000:]


@pytest.mark.deep
@_TLC
@pytest.mark.parametrize(
    ("module", "variable", "names"),
    [
        ("Submission", "state", ("Moves", "LateMoves")),
        ("Request", "status", ("RequestMoves",)),
        ("Request", "delivery", ("DeliveryMoves",)),
        ("Request", "reported", ("NoticeMoves",)),
        ("Address", "state", ("ChangeMoves",)),
    ],
)
def test_every_move_that_a_specification_allows_is_made_in_it(
    module: str, variable: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    model = MODELS[module]
    smaller = replace(
        model, constants={**model.constants, **_SMALL[module]}, invariants=("TypeOK",), properties=()
    )

    run_tlc(smaller, tmp_path, "-dump", "dot", "states")

    made = read_made(tmp_path / "states.dot", variable)
    assert made == set().union(*(read_moves(module, name) for name in names))


def read_made(graph: Path, variable: str) -> set[tuple[str, str]]:
    """Read from a graph of states which moves a variable makes: it is one state, or a sequence of them."""
    text = graph.read_text(encoding="utf-8").replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
    values = {
        node: re.findall(r'"(\w+)"', value)
        for node, value in re.findall(
            rf'^(-?\d+) \[label="(?:.*\n)*?/\\ {variable} = (.*)$', text, re.MULTILINE
        )
    }
    pairs = (
        pair
        for before, after in re.findall(r"^(-?\d+) -> (-?\d+)", text, re.MULTILINE)
        for pair in zip(values[before], values[after], strict=True)
    )
    return {(before, after) for before, after in pairs if before not in {after, "none"}}


def test_submissions_move_as_their_specification_says() -> None:
    assert read_moves("Submission", "Moves") == {(str(a), str(b)) for a, b in LEGAL_MOVES}
    assert read_moves("Submission", "LateMoves") == {(str(a), str(b)) for a, b in LATE_MOVES}


def test_requests_and_address_changes_move_as_their_specifications_say() -> None:
    assert read_moves("Request", "RequestMoves") == {(str(a), str(b)) for a, b in REQUEST_MOVES}
    assert read_moves("Address", "ChangeMoves") == {(str(a), str(b)) for a, b in CHANGE_MOVES}


def test_deliveries_and_notices_move_as_their_specification_says() -> None:
    assert read_moves("Request", "DeliveryMoves") == {(str(a), str(b)) for a, b in DELIVERY_MOVES}
    assert read_moves("Request", "NoticeMoves") == {(str(a), str(b)) for a, b in NOTICE_MOVES}
    assert not DELIVERY_MOVES & FOUND_MOVES  # of backups and of slow tries the specification says nothing


@pytest.mark.parametrize(
    ("place", "moves"),
    [
        (0, LEGAL_MOVES | LATE_MOVES),
        (1, REQUEST_MOVES),
        (2, DELIVERY_MOVES | FOUND_MOVES),
        (3, NOTICE_MOVES),
    ],
)
def test_the_diagrams_of_the_architecture_are_the_tables(
    place: int, moves: frozenset[tuple[str, str]]
) -> None:
    text = (SPECIFICATIONS.parent / "architecture.md").read_text(encoding="utf-8")
    diagram = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", text, re.DOTALL)[place]

    assert sorted(re.findall(r"^ +(\w+) --> (\w+):", diagram, re.MULTILINE)) == sorted(
        (str(before), str(after)) for before, after in moves
    )


def test_nothing_but_a_claim_changes_a_status() -> None:
    """Updates and assignments that name a status or a state, outside of the tables' module, are none of a claim."""
    found = []
    for path in (SPECIFICATIONS.parents[1] / "src" / "aftercart" / "actions").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".update"):
                rows = ast.unparse(call.func)
                if any(
                    name in rows
                    for name in (
                        "Request.objects",
                        "Submission.objects",
                        "AddressChange.objects",
                        "Delivery.objects",
                        "Notice.objects",
                        "as_tried",
                    )
                ):
                    found += [
                        f"{path.name}: {word.arg}"
                        for word in call.keywords
                        if word.arg in {"status", "state"}
                    ]
            if isinstance(call, ast.Assign):
                names = (ast.unparse(target) for target in call.targets)
                found += [f"{path.name}: {name}" for name in names if name == "request.status"]

    assert [name for name in found if not name.startswith("reject_spare")] == []
