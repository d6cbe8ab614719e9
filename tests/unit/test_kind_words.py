"""What something is called follows what it is: a return is no cancellation, in a heading, a badge or an e-mail."""

from dataclasses import fields
from typing import get_args

import pytest
from django.utils import translation

from aftercart.cancellations.kind_words import WORDS, State, get_kind
from aftercart.cancellations.models.reasons import SubmissionKind, find_kind
from aftercart.mail.compose import render_email
from aftercart.mail.draft import EmailContent
from aftercart.mail.models import Email

#: Words that name another kind, in each language.
OTHERS: dict[SubmissionKind, dict[str, tuple[str, ...]]] = {
    SubmissionKind.CANCEL: {"en": ("return", "withdraw"), "tr": ("iade talebi", "cayma")},
    SubmissionKind.RETURN: {"en": ("cancel", "withdraw"), "tr": ("iptal", "cayma")},
    SubmissionKind.WITHDRAWAL: {"en": ("cancel", "return"), "tr": ("iptal",)},
}
REPORTS = (
    "cancellation_sent",
    "cancellation_checking",
    "cancellation_confirmed",
    "cancellation_completed",
    "request_received",
    "request_approved",
    "request_rejected",
)


def list_sentences(kind: SubmissionKind) -> list[str]:
    words = WORDS[kind]
    sentences = [str(getattr(words, each.name)) for each in fields(words) if each.name != "outcomes"]
    outcomes = words.outcomes.values()
    return sentences + [str(part) for each in outcomes for part in (each.headline, each.next)]


@pytest.mark.parametrize("kind", list(SubmissionKind))
def test_each_kind_has_words_for_each_state(kind: SubmissionKind) -> None:
    assert set(WORDS[kind].outcomes) == set(get_args(State))
    assert all(list_sentences(kind))


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("kind", list(OTHERS))
def test_no_kind_is_called_by_the_name_of_another(kind: SubmissionKind, language: str) -> None:
    with translation.override(language):
        sentences = [sentence.lower() for sentence in list_sentences(kind)]
    assert [s for s in sentences if any(word in s for word in OTHERS[kind][language])] == []


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("kind", REPORTS)
def test_no_email_about_a_return_speaks_of_a_cancellation(kind: str, language: str) -> None:
    facts = {"what": "refund", "items": [{"name": "Shirt", "quantity": 1}], "refund": "10", "currency": "TRY"}
    content = EmailContent(number="ORD-1", facts=facts, url="https://shop.example.com/")

    draft, text, _html = render_email(Email.Kind(kind), content, language=language)

    other = {"en": "cancel", "tr": "iptal"}[language]
    assert other not in f"{draft.subject} {text}".lower()


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["cancel"], SubmissionKind.CANCEL),
        (["refund", "refund"], SubmissionKind.RETURN),
        (["refund", "cancel"], SubmissionKind.BOTH),
        ([], SubmissionKind.CANCEL),
    ],
)
def test_a_submission_is_what_its_lines_are(types: list[str], kind: SubmissionKind) -> None:
    assert find_kind(types) is kind
    assert find_kind(types, is_withdrawal=True) is SubmissionKind.WITHDRAWAL


def test_an_email_of_an_earlier_version_reports_a_cancellation() -> None:
    assert get_kind("refund") is SubmissionKind.RETURN
    assert {get_kind(value) for value in (None, "unheard of", 5)} == {SubmissionKind.CANCEL}
