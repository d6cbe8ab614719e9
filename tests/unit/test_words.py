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

#: Our own business, and none of the customer's: they read that the team decides, or what came of it.
OUR_CAUSES = frozenset(
    {
        Cause.REQUESTED,
        Cause.TAKEN_BACK,
        Cause.COLLECTION_NOT_CHOSEN,
        Cause.REASON_NOT_GIVEN,
        Cause.POLICY_OVERRIDDEN,
        Code.UNAUTHORIZED,
        Code.LOGIN_FAILED,
        Code.REDIRECTED,
        Code.NOT_JSON,
        Code.TOO_LARGE,
        Code.MALFORMED,
        Cause.FOUND_APPLIED,
        Cause.ARRIVED_LATE,
        Cause.NAME_TAKEN,
        Cause.MERGED_LINE,
        Cause.OMS_DIFFERS,
        Cause.OMS_IN_PROGRESS,
        Cause.OMS_STATUS,
        Cause.OMS_UNKNOWN_ITEM,
        Cause.PARTLY_DECIDED,
        Cause.REJECTION_UNSENT,
        Cause.REASON_UNMAPPED,
        Code.NOT_FOUND,
        Code.REFUSED,
    }
)
#: Of an item: what `story._describe_item` puts into words.
ITEM_EVENTS = frozenset(
    {
        Event.CANCELLATION_COMPLETED,
        Event.RETURN_CODE_ISSUED,
        Event.POINTS_BOOKED,
        Event.CANCELLATION_REJECTED,
        Event.REQUEST_TAKEN_BACK,
        Event.STATUS_CHANGED,
    }
)
#: Notes to ourselves: what a customer has to know of them is said by the event before or after, or by an e-mail.
OUR_EVENTS = frozenset(
    {
        Event.ORDER_IMPORTED,
        Event.ORDER_UPDATED,
        Event.ORDER_FOLLOWED,
        Event.CANCELLATION_SENDING,
        Event.LATE_SENDING,
        Event.LATE_SUCCESS,
        Event.VERIFICATION_NEEDS_STAFF,
        Event.REQUEST_DELIVERED,
        Event.REQUEST_APPROVED,
        Event.REQUEST_WITHDRAWN,
        Event.REQUEST_FOUND_DONE,
        Event.SECOND_REQUEST_SETTLED,
        Event.LATE_REQUEST_SETTLED,
        Event.REQUEST_DECIDED_THERE,
        Event.REJECTION_OVERRULED,
        Event.POLICY_OVERRIDDEN,
        Event.LINKS_REVOKED,
        Event.ADDRESS_CHANGE_OVERTAKEN,
    }
)


def test_each_cause_has_words_for_staff() -> None:
    assert set(CAUSES) == {*Cause, *Code, *(topic.declared.code for topic in ITEM_TOPICS)}
    assert all(str(words) for words in CAUSES.values())


def test_each_cause_has_words_for_customers_or_is_ours() -> None:
    reviewed = {topic.declared.code for topic in ITEM_TOPICS if topic.declared.reason}
    assert set(outcome_words.CAUSES) | OUR_CAUSES == {*Cause, *Code, *reviewed}
    assert not set(outcome_words.CAUSES) & OUR_CAUSES


def test_each_event_has_words_for_staff_and_for_customers_or_is_ours() -> None:
    assert {event for event in Event if not event.words} == {Event.STATUS_CHANGED}  # which names the statuses
    told = {*story.ORDER_EVENTS, *story.SUBMISSION_EVENTS} | ITEM_EVENTS
    assert told | OUR_EVENTS == set(Event)
    assert not told & OUR_EVENTS
    assert not set(story.ORDER_EVENTS) & ITEM_EVENTS


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
