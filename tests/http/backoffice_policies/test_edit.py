"""Drafts of the policy in the back office: begun, edited, published, and not changed any more."""

import re
from html import unescape
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aftercart.cancellations.models import CancellationReason, PolicyRule, PolicyVersion
from aftercart.cancellations.policy.selectors import get_book
from aftercart.orders.policy.topics import Topic
from tests.http.backoffice_policies.world import POLICIES, REASONS, RULES, make_draft, make_published, read

pytestmark = pytest.mark.django_db


def read_form(client: Client, path: str) -> dict[str, Any]:
    """Read what a browser would post back from the admin's own form."""
    page = BeautifulSoup(client.get(path).content, "html.parser")
    form = page.find("form", id=re.compile("_form$"))
    assert form is not None
    data: dict[str, Any] = {}
    for field in form.find_all(["input", "select", "textarea"]):
        name = str(field.get("name") or "")
        if not name or "__prefix__" in name or field.get("type") == "submit":
            continue
        if field.get("type") == "checkbox":
            if field.has_attr("checked"):
                data.setdefault(name, []).append(str(field.get("value", "on")))
        elif field.name == "select":
            chosen = field.find("option", selected=True)
            data[name] = chosen["value"] if chosen else ""
        else:
            data[name] = field.text.strip() if field.name == "textarea" else field.get("value", "")
    return data


def test_staff_begin_a_draft_edit_it_and_publish_it(root: Client) -> None:
    assert "In force now: the default of the settings." in read(root, POLICIES)
    answer = root.post(f"{POLICIES}draft/", {"source": ""})
    version = PolicyVersion.objects.get()
    assert answer["Location"] == f"{POLICIES}{version.pk}/change/"

    form = read_form(root, f"{POLICIES}{version.pk}/change/")
    place = next(n for n in range(30) if form.get(f"rules-{n}-topic") == "return_window")
    rule = PolicyRule.objects.get(pk=form[f"rules-{place}-id"])
    form |= {"note": "Return within 15 days", f"rules-{place}-channel_id": "2"}
    assert root.post(f"{POLICIES}{version.pk}/change/", form).status_code == 302
    rule.refresh_from_db()
    assert (rule.channel_id, rule.window_length) == (2, 14)

    form = read_form(root, f"{RULES}{rule.pk}/change/")
    form |= {
        "window_length": "15",
        "window_unit": "business_days",
        "category_patterns": "Shoes*\r\n\r\n Hats and caps \r\nShoes*",
        "countries": "TR",
        "statuses": ["550"],
    }
    answer = root.post(f"{RULES}{rule.pk}/change/", form)
    assert (answer.status_code, answer["Location"]) == (302, f"{POLICIES}{version.pk}/change/")
    rule.refresh_from_db()
    assert (rule.window_length, rule.window_unit, rule.statuses) == (15, "business_days", ["550"])
    assert (rule.category_patterns, rule.countries) == (["Shoes*", "Hats and caps"], ["tr"])

    assert get_book().version is None
    root.post(f"{POLICIES}{version.pk}/publish/", {"effective_from": ""})
    assert get_book().version == version.pk
    (clause,) = get_book().by_topic[Topic.RETURN_WINDOW]
    assert (clause.channel_id, clause.statuses) == (2, frozenset({"550"}))
    version.refresh_from_db()
    assert version.note == "Return within 15 days"
    assert f"In force now: version #{version.pk}." in read(root, POLICIES)


def test_a_new_rule_is_added_in_place(root: Client) -> None:
    version = make_draft()
    form = read_form(root, f"{POLICIES}{version.pk}/change/")
    count = int(form["rules-TOTAL_FORMS"])
    new = {
        "number": "500",
        "topic": "approval",
        "cancellation_type": "",
        "channel_id": "7",
        "effect": "review",
    }
    form |= {f"rules-{count}-{name}": value for name, value in new.items()}
    form |= {"rules-TOTAL_FORMS": str(count + 1), f"rules-{count}-id": ""}

    assert root.post(f"{POLICIES}{version.pk}/change/", form).status_code == 302

    rule = version.rules.get(number=500)
    assert (rule.topic, rule.effect, rule.channel_id) == ("approval", "review", 7)
    assert version.rules.count() == count + 1


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ({"topic": "partial_line", "effect": "allow"}, "Omnitron cannot handle this directly"),
        ({"number": "10"}, "Another rule has this number already."),
        ({"topic": "nonsense"}, "not one of the available choices"),
        ({"number": "-1"}, "greater than or equal to 0"),
        ({"number": "99999999999"}, "less than or equal to"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_and_changes_nothing(
    root: Client, typed: dict[str, str], shown: str
) -> None:
    version = make_draft()
    before = list(version.rules.values())
    form = read_form(root, f"{POLICIES}{version.pk}/change/")
    place = next(n for n in range(30) if form.get(f"rules-{n}-number") == "60")
    form |= {f"rules-{place}-{name}": value for name, value in typed.items()}

    answer = root.post(f"{POLICIES}{version.pk}/change/", form)

    assert answer.status_code == 200
    assert shown in unescape(answer.content.decode())
    assert list(version.rules.values()) == before


def test_a_rule_whose_number_is_taken_is_told_on_its_own_page(root: Client) -> None:
    version = make_draft()
    rule = version.rules.get(number=20)
    form = read_form(root, f"{RULES}{rule.pk}/change/")

    answer = root.post(f"{RULES}{rule.pk}/change/", {**form, "number": "10"})

    assert answer.status_code == 200
    assert "already" in answer.content.decode()
    assert version.rules.filter(number=20).exists()


def test_two_rules_can_change_places(root: Client) -> None:
    version = make_draft()
    form = read_form(root, f"{POLICIES}{version.pk}/change/")
    places = {form[f"rules-{n}-number"]: n for n in range(13)}
    topics = {number: form[f"rules-{place}-topic"] for number, place in places.items()}
    form |= {f"rules-{places['60']}-number": "70", f"rules-{places['70']}-number": "60"}

    assert root.post(f"{POLICIES}{version.pk}/change/", form).status_code == 302

    assert version.rules.get(number=60).topic == topics["70"]
    assert version.rules.get(number=70).topic == topics["60"]


def test_what_is_published_is_shown_and_cannot_be_changed(root: Client) -> None:
    version = make_published()
    rule = version.rules.get(number=10)
    before = list(version.rules.values())
    page = read(root, f"{POLICIES}{version.pk}/change/")
    assert "This version is published and can no longer change." in page
    assert "rules-0-number" not in page
    assert read(root, f"{RULES}{rule.pk}/change/")

    for path in (f"{POLICIES}{version.pk}/change/", f"{RULES}{rule.pk}/change/"):
        assert root.post(path, {"note": "Another", "number": "11"}).status_code == 403
    for path in (f"{POLICIES}{version.pk}/delete/", f"{RULES}{rule.pk}/delete/"):
        assert root.post(path, {"post": "yes"}).status_code == 403
    root.post(f"{POLICIES}{version.pk}/publish/", {})

    assert list(version.rules.values()) == before
    assert PolicyVersion.objects.get(pk=version.pk).effective_from == version.effective_from


def test_the_list_of_rules_is_the_list_of_versions(root: Client) -> None:
    assert root.get(RULES)["Location"] == POLICIES


def test_a_draft_is_thrown_away_with_its_rules(root: Client) -> None:
    version = make_draft()

    assert root.post(f"{POLICIES}{version.pk}/delete/", {"post": "yes"}).status_code == 302

    assert (PolicyVersion.objects.count(), PolicyRule.objects.count()) == (0, 0)


@pytest.mark.parametrize("typed", ["2020-01-01T00:00", "tomorrow"])
def test_a_version_is_not_published_into_the_past_nor_into_nonsense(root: Client, typed: str) -> None:
    version = make_draft()

    answer = root.post(f"{POLICIES}{version.pk}/publish/", {"effective_from": typed}, follow=True)

    assert answer.status_code == 200
    version.refresh_from_db()
    assert (version.state, version.effective_from) == ("draft", None)


def test_a_time_is_the_shops(root: Client) -> None:
    version = make_draft()
    year = timezone.now().year + 1

    root.post(f"{POLICIES}{version.pk}/publish/", {"effective_from": f"{year}-06-01T12:00"})

    version.refresh_from_db()
    assert version.effective_from is not None
    assert version.effective_from.isoformat() == f"{year}-06-01T09:00:00+00:00"  # Istanbul is three hours on


@pytest.mark.parametrize("source", ["999999", "x", "9" * 30, "-1"])
def test_a_draft_of_nothing_is_not_found(root: Client, source: str) -> None:
    assert root.post(f"{POLICIES}draft/", {"source": source}).status_code == 404
    assert PolicyVersion.objects.count() == 0


def test_the_lists_and_pages_cost_the_same_however_much_there_is(root: Client) -> None:
    first = make_draft()
    costs: list[list[int]] = []
    for turn in range(2):
        costs.append([])
        for path in (POLICIES, f"{POLICIES}{first.pk}/change/", REASONS):
            root.get(path)
            with CaptureQueriesContext(connection) as queries:
                root.get(path)
            costs[-1].append(len(queries))
        make_draft()
        make_published()
        CancellationReason.objects.create(cancellation_type="cancel", subject="Another")
        PolicyRule.objects.create(version=first, number=901 + turn, topic="fee")

    assert costs[0] == costs[1]
