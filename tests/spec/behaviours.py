"""Behaviours of a specification: walks through the graph of states that TLC writes."""

import random
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

State = Mapping[str, Any]
Graph = Mapping[int, list[tuple["Step", int]]]


@dataclass(frozen=True, slots=True)
class Step:
    """An action of the specification, by name, between two states."""

    action: str
    before: State
    after: State


def read_value(text: str) -> Any:
    """Return a TLA+ value: a sequence or a record as a tuple or a dict, a set as a frozenset, else what it says."""
    tokens = re.findall(r'"[^"]*"|<<|>>|:>|@@|[{}(),]|\w+', text)

    def read() -> Any:
        token = tokens.pop(0)
        if token in {"<<", "{"}:
            end = {"<<": ">>", "{": "}"}[token]
            values = []
            while tokens[0] != end:
                values.append(read())
                if tokens[0] == ",":
                    tokens.pop(0)
            tokens.pop(0)
            return tuple(values) if end == ">>" else frozenset(values)
        if token == "(":
            pairs = {}
            while True:
                key = read()
                tokens.pop(0)
                pairs[key] = read()
                if tokens.pop(0) == ")":
                    return pairs
        if token.isdigit():
            return int(token)
        return {"TRUE": True, "FALSE": False}.get(token, token.strip('"'))

    return read()


def read_graph(path: Path) -> tuple[State, dict[int, list[tuple[Step, int]]]]:
    """Read a graph of states that TLC has dumped, with its actions' names: the first state, and the steps from each."""
    text = path.read_text(encoding="utf-8").replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
    found = re.findall(r"^(-?\d+) \[label=\"((?:/\\ .*\n?)+?)\"[,\]]", text, re.MULTILINE)
    states = {int(node): _read_state(label) for node, label in found}
    steps: dict[int, list[tuple[Step, int]]] = defaultdict(list)
    for before, after, action in re.findall(r'^(-?\d+) -> (-?\d+) \[label="(\w+)"', text, re.MULTILINE):
        if before != after:
            steps[int(before)].append((Step(action, states[int(before)], states[int(after)]), int(after)))
    return states[int(found[0][0])], {node: steps[node] for node in states}


def _read_state(label: str) -> State:
    pairs = (line.removeprefix("/\\ ").split(" = ", 1) for line in re.split(r"\n(?=/\\ )", label.strip()))
    return {name: read_value(value) for name, value in pairs}


def walk(
    graph: Graph, *, count: int, depth: int, seed: int, may: Callable[[Step, list[Step]], bool]
) -> Iterator[list[Step]]:
    """Return so many walks of at most so many steps: each a shortest one to a step not taken yet, and on from there.

    `may` leaves steps out: it gets one, and those beside it.
    """
    allowed = {
        node: [(step, to) for step, to in ways if may(step, [beside for beside, _ in ways])]
        for node, ways in graph.items()
    }
    paths = _find_paths(allowed)
    chooser = random.Random(seed)  # noqa: S311 - to be repeated
    left = [(node, way) for node in paths for way in allowed[node] if len(paths[node]) < depth]
    chooser.shuffle(left)
    taken: set[int] = set()
    for _ in range(count):
        node, way = next(((node, way) for node, way in left if id(way[0]) not in taken), left[0])
        steps = [*paths[node], way[0]]
        node = way[1]
        while len(steps) < depth and allowed[node]:
            fresh = [way for way in allowed[node] if id(way[0]) not in taken]
            step, node = chooser.choice(fresh or allowed[node])
            steps.append(step)
        taken |= {id(step) for step in steps}
        yield steps


def _find_paths(graph: Graph) -> dict[int, list[Step]]:
    """Find a shortest way from the first state to each."""
    first = next(iter(graph))
    paths: dict[int, list[Step]] = {first: []}
    queue = deque([first])
    while queue:
        node = queue.popleft()
        for step, to in graph[node]:
            if to not in paths:
                paths[to] = [*paths[node], step]
                queue.append(to)
    return paths
