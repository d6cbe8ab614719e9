"""Each cause, event and outcome has its words for staff, and for customers or a decision to say nothing."""

import ast
from pathlib import Path

import aftercart
from aftercart.backoffice.words import OUTCOMES
from aftercart.cancellations.causes import CAUSES, Cause
from aftercart.cancellations.models import SubmissionLine
from aftercart.oms.errors import Code
from aftercart.orders.policy.topics import ITEM_TOPICS
from aftercart.orders.timeline import Event
from aftercart.pages import outcome_words, story

_SOURCE = Path(aftercart.__file__).parent
#: What is raised with a code that becomes a cause.
_RAISED = {"NotSent", "AnswerUnknown", "Refused"}
#: Notes of a delivery: `say_detail` has words for them.
_NOTES = {"still_making", "still_waiting"}


def test_each_cause_has_words_for_staff() -> None:
    assert set(CAUSES) == {*Cause, *Code, *(topic.declared.code for topic in ITEM_TOPICS)}
    assert all(str(words) for words in CAUSES.values())


def test_each_cause_has_words_for_customers_or_is_ours() -> None:
    reviewed = {topic.declared.code for topic in ITEM_TOPICS if topic.declared.reason}
    assert set(outcome_words.CAUSES) | outcome_words.OUR_CAUSES == {*Cause, *Code, *reviewed}
    assert not set(outcome_words.CAUSES) & outcome_words.OUR_CAUSES


def test_each_event_has_words_for_staff_and_for_customers_or_is_ours() -> None:
    assert {event for event in Event if not event.words} == {Event.STATUS_CHANGED}  # which names the statuses
    told = set(story.ORDER_EVENTS) | story.SUBMISSION_EVENTS | story.ITEM_EVENTS
    assert told | story.OUR_EVENTS == set(Event)
    assert not told & story.OUR_EVENTS
    assert not set(story.ORDER_EVENTS) & story.ITEM_EVENTS


def test_each_outcome_has_words() -> None:
    assert set(OUTCOMES) == set(SubmissionLine.Outcome)


def test_each_code_that_becomes_a_cause_is_one() -> None:
    assert sorted(find_codes() - {*Cause, *Code} - _NOTES) == []


def find_codes() -> set[str]:
    """Find the codes that actions write down: as `code` of an error of Omnitron's, or as `cause`."""
    found = set()
    for path in (_SOURCE / "actions").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func)
            codes = [
                word.value
                for word in call.keywords
                if word.arg == "cause" or (word.arg == "code" and name in _RAISED)
            ]
            found |= {
                code.value for code in codes if isinstance(code, ast.Constant) and isinstance(code.value, str)
            }
    found.discard("")
    assert {"still_waiting", "still_making"} <= found
    return found
