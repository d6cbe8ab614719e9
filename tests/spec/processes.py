"""A process that sends, as a greenlet: it stops where that of a specification can, and goes on, or dies."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

from aftercart.lib import failpoints
from aftercart.oms.errors import NotSent
from aftercart.oms.messages import AddressChange, CancelCommand, RemoteRequest, RequestDraft
from aftercart.oms.port import Dialogue, Guard
from tests.fake_omnitron import FakeOmnitron

Message = CancelCommand | RequestDraft | AddressChange


def stop(place: str, value: object = None) -> Any:
    """Give control back to the behaviour; return what it brings when the process goes on."""
    parent = getcurrent().parent
    assert parent is not None
    return parent.switch((place, value))


class Process:
    """One that sends: where it stands, what it sends, and what it is answered."""

    def __init__(self, run: Any) -> None:
        self._greenlet = greenlet(lambda _: run())
        self.place = ""
        self.message: Any = None
        self.reply: Any = None
        self.go()

    def go(self, value: object = None) -> None:
        """Let it go on to where it stops next; an error that it is brought is raised there."""
        came = self._greenlet.switch(value)
        if self._greenlet.dead:
            self.place = "over"
            return
        self.place, told = came
        if isinstance(told, Message):
            self.message = told

    def die(self) -> None:
        """Let it die where it stands."""
        if self.place != "over":
            self._greenlet.throw(GreenletExit)
        self.place = "over"


class Line:
    """The line to Omnitron: what is sent stops before it leaves, and again until the behaviour brings its answer."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dialogue, name)

    def cancel_items(self, *, channel_id: int, command: CancelCommand, guard: Guard) -> None:
        _send(command, guard, channel_id)

    def create_request(self, *, channel_id: int, draft: RequestDraft, guard: Guard) -> RemoteRequest:
        answer: RemoteRequest = _send(draft, guard, channel_id)
        return answer

    def change_address(self, *, body: AddressChange, guard: Guard) -> int:
        _send(body, guard)
        return 0


def _send(message: Message, guard: Guard, value: object = None) -> Any:
    if not guard():
        raise NotSent("Somebody else had gone on with it.", code="claim_lost")
    stop("looked", message)
    answer = stop("waiting", value)
    if isinstance(answer, Exception):
        raise answer
    return answer


@contextmanager
def lines_of(fake: FakeOmnitron, seconds: float | None = None, **options: bool) -> Iterator[Any]:
    """Open a dialogue of a process that stops."""
    with fake.dialogue(seconds, **options) as dialogue:
        yield Line(dialogue)


def stop_at(monkeypatch: pytest.MonkeyPatch, points: Mapping[str, str]) -> None:
    """Have processes stop at these failpoints, each called by the specification's name of the place."""

    def strike(name: str) -> None:
        if name in points and getcurrent().parent is not None:
            stop(points[name])

    monkeypatch.setattr(failpoints, "_folder", "here")
    monkeypatch.setattr(failpoints, "_strike", strike)
