"""The policy in the back office: drafts, publishing, trying, overriding, reasons; and who may do which."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.draft_policy import draft_policy
from aftercart.actions.publish_policy import publish_policy
from aftercart.cancellations.models import (
    CancellationReason,
    CancellationRequest,
    PolicyRule,
    PolicyVersion,
    Submission,
)
from aftercart.cancellations.policy_selectors import get_book, get_default_book
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from aftercart.orders.policies import Topic
from tests.http.backoffice_world import ORDERS, log_in, make_order, make_staff

pytestmark = pytest.mark.django_db
POLICIES = "/backoffice/cancellations/policyversion/"
RULES = "/backoffice/cancellations/policyrule/"
REASONS = "/backoffice/cancellations/cancellationreason/"
_EDITOR = ("view_policyversion", "add_policyversion", "change_policyversion", "delete_policyversion")


@pytest.fixture
def root() -> Client:
    return log_in(make_staff(is_superuser=True))


def make_draft() -> PolicyVersion:
    return PolicyVersion.objects.get(pk=draft_policy(make_staff(), get_default_book()))


def make_published() -> PolicyVersion:
    version = make_draft()
    publish_policy(version.pk, make_staff())
    version.refresh_from_db()
    return version


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return unescape(response.content.decode())


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


def count_everything() -> list[int]:
    models = (PolicyVersion, PolicyRule, Submission, CancellationRequest, TimelineEntry, ProcrastinateJob)
    return [model.objects.count() for model in models]


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
    ("typed", "told"),
    [
        ({"topic": "partial_line", "effect": "allow"}, "Omnitron cannot take this directly"),
        ({"number": "10"}, "Another rule has this number already."),
        ({"topic": "nonsense"}, "not one of the available choices"),
        ({"number": "-1"}, "greater than or equal to 0"),
        ({"number": "99999999999"}, "less than or equal to"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_and_changes_nothing(
    root: Client, typed: dict[str, str], told: str
) -> None:
    version = make_draft()
    before = list(version.rules.values())
    form = read_form(root, f"{POLICIES}{version.pk}/change/")
    place = next(n for n in range(30) if form.get(f"rules-{n}-number") == "60")
    form |= {f"rules-{place}-{name}": value for name, value in typed.items()}

    answer = root.post(f"{POLICIES}{version.pk}/change/", form)

    assert answer.status_code == 200
    assert told in unescape(answer.content.decode())
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
    assert "it never changes" in page
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


def test_each_permission_opens_its_own_door_only() -> None:
    version, order = make_draft(), make_order()
    doors = {
        f"{POLICIES}": ("get", _EDITOR[:1]),
        f"{POLICIES}draft/": ("post", _EDITOR[1:2]),
        f"{POLICIES}{version.pk}/publish/": ("post", ("publish_policyversion",)),
        f"{POLICIES}try/": ("get", ("view_policyversion", "view_order")),
        f"{ORDERS}{order.pk}/override/": ("get", ("override_policyversion", "view_order")),
        f"{REASONS}sync/": ("post", ("change_cancellationreason",)),
    }
    for path, (method, permissions) in doors.items():
        assert getattr(Client(), method)(path).status_code == 302, path
        others = {p for _path, (_m, ps) in doors.items() for p in ps} - set(permissions)
        refused = log_in(make_staff(*(others - {"view_order", "view_policyversion"})))
        before = count_everything()
        assert getattr(refused, method)(path).status_code == 403, path
        assert count_everything() == before
        assert getattr(log_in(make_staff(*permissions)), method)(path).status_code in {200, 302}, path


def test_a_customer_is_sent_to_the_log_in() -> None:
    order = make_order()
    assert order.user is not None
    browser = log_in(order.user)
    for path in (f"{POLICIES}", f"{POLICIES}try/", f"{ORDERS}{order.pk}/override/"):
        assert browser.get(path)["Location"] == f"/backoffice/login/?next={path}"
    assert browser.post(f"{POLICIES}draft/").status_code == 302
    assert PolicyVersion.objects.count() == 0


def test_who_may_edit_may_not_publish_nor_see_the_button() -> None:
    version = make_draft()
    editor = log_in(make_staff(*_EDITOR))

    assert "/publish/" not in read(editor, f"{POLICIES}{version.pk}/change/")
    assert editor.post(f"{POLICIES}{version.pk}/publish/").status_code == 403
    version.refresh_from_db()
    assert version.is_draft


def test_writes_want_a_token_and_the_post() -> None:
    version, order = make_draft(), make_order()
    strict = log_in(make_staff(is_superuser=True), checks_csrf=True)
    paths = (
        f"{POLICIES}draft/",
        f"{POLICIES}{version.pk}/publish/",
        f"{ORDERS}{order.pk}/override/",
        f"{REASONS}sync/",
    )
    before = count_everything()
    assert [strict.post(path).status_code for path in paths] == [403] * 4
    root = log_in(make_staff(is_superuser=True))
    assert [root.get(path).status_code for path in paths] == [405, 405, 200, 405]
    assert root.post(f"{POLICIES}try/").status_code == 405
    assert count_everything() == before


def make_returnable(**fields: Any) -> Order:
    order = make_order("550")
    OrderItem.objects.filter(order=order).update(
        delivered_at=timezone.now() - timedelta(days=20), **{"is_final_sale": True, **fields}
    )
    return order


def test_trying_tells_the_verdict_the_rule_and_why_the_others_did_not_decide(root: Client) -> None:
    order = make_returnable()
    book = get_default_book()
    before = count_everything()

    page = read(root, f"{POLICIES}try/?number={order.number}")

    final_sale = book.by_topic[Topic.FINAL_SALE][0].number
    window = book.by_topic[Topic.RETURN_WINDOW][0].number
    assert f"This item is a final sale and can't be returned. (final_sale; rule {final_sale})" in page
    assert f"The time for returning this item is over. (return_window_closed; rule {window})" in page
    assert "Not about this one: type." in page
    assert "Judged by the default of the settings" in page
    assert count_everything() == before


def test_trying_takes_units_a_time_and_a_draft(root: Client) -> None:
    order = make_returnable(is_final_sale=False)
    item = order.items.get()
    version = make_draft()
    version.rules.filter(topic="return_window").update(window_length=30)

    late = read(root, f"{POLICIES}try/?number={order.number}")
    draft = read(root, f"{POLICIES}try/?number={order.number}&version={version.pk}&units-{item.pk}=1")
    later = read(root, f"{POLICIES}try/?number={order.number}&version={version.pk}&at=2036-01-01T10:00")
    none = read(root, f"{POLICIES}try/?number={order.number}&units-{item.pk}=0")
    address = read(root, f"{POLICIES}try/?number={order.number}&kind=address_change")

    assert "return_window_closed" in late
    assert "return_window_closed" not in draft
    assert "partial_line" in draft
    assert "return_window_closed" in later
    assert "Rules looked at" not in none
    assert "It is too late to change this order's address. (status_not_allowed" in address


@pytest.mark.parametrize(
    "query",
    [
        "number=NOPE",
        "number=",
        "number={n}&version=999999",
        "number={n}&version=x",
        "number={n}&version=99999999999999999999999",
        "number={n}&kind=steal",
        "number={n}&at=never",
        "number={n}&units-{i}=many",
        "number={n}&units-{i}=-4",
        "number={n}&units-{i}=99999999999999999999",
        "number=%00",
    ],
)
def test_nonsense_is_told_and_never_an_error_of_ours(root: Client, query: str) -> None:
    order = make_returnable()
    text = query.format(n=order.number, i=order.items.get().pk)

    assert root.get(f"{POLICIES}try/?{text}").status_code == 200


def test_staff_override_the_policy_and_the_order_tells_it() -> None:
    order = make_returnable()
    item = order.items.get()
    reason = CancellationReason.objects.create(cancellation_type="refund", subject="Too small")
    staff = make_staff("override_policyversion", "view_order", "view_cancellationrequest")
    browser = log_in(staff)
    assert "/override/" in read(browser, f"{ORDERS}{order.pk}/change/")

    answer = browser.post(
        f"{ORDERS}{order.pk}/override/",
        {"order_item": item.pk, "reason": reason.pk, "quantity": "1", "why": "A good customer."},
    )

    request = CancellationRequest.objects.get()
    assert answer["Location"] == f"/backoffice/cancellations/cancellationrequest/{request.pk}/change/"
    page = read(browser, answer["Location"])
    assert "Asked for by staff, against the policy" in page
    page = read(browser, f"{ORDERS}{order.pk}/change/")
    assert "The policy was overridden by staff" in page
    assert "A good customer." in page
    assert staff.email in page


@pytest.mark.parametrize(
    "typed", [{"why": ""}, {"order_item": "999999"}, {"reason": "x"}, {"quantity": "0"}, {"quantity": "3"}]
)
def test_an_override_that_makes_no_sense_is_told_and_changes_nothing(
    root: Client, typed: dict[str, str]
) -> None:
    order = make_returnable()
    reason = CancellationReason.objects.create(cancellation_type="refund", subject="Too small")
    body = {"order_item": order.items.get().pk, "reason": reason.pk, "quantity": "", "why": "Goodwill."}
    before = count_everything()

    assert root.post(f"{ORDERS}{order.pk}/override/", {**body, **typed}).status_code == 200

    assert count_everything() == before
    assert root.get(f"{ORDERS}999999/override/").status_code == 404


def test_a_submission_shows_the_version_it_was_judged_by(root: Client) -> None:
    version, order = make_published(), make_order()
    submission = Submission.objects.create(order=order, origin="direct", policy_version=version)

    page = read(root, f"/backoffice/cancellations/submission/{submission.pk}/change/")

    assert f"policy version #{version.pk}" in page
    assert f"{POLICIES}{version.pk}/change/" in page


def test_reasons_without_a_partner_are_shown_filtered_and_counted(root: Client) -> None:
    for subject, problem, pk in (("Fine", "", 1), ("Alone", "unknown", None), ("Off", "inactive", 2)):
        CancellationReason.objects.create(
            cancellation_type="cancel", subject=subject, remote_problem=problem, remote_pk=pk
        )

    page = read(root, f"{REASONS}?partner=none")

    assert ("Alone" in page, "Off" in page, ">Fine<" in page) == (True, True, False)
    assert "No reason of this subject there" in page
    assert "Reasons without a partner" in read(root, "/backoffice/")
    root.post(f"{REASONS}sync/")
    assert [job.task_name for job in ProcrastinateJob.objects.all()] == ["aftercart.sync_reasons"]


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
