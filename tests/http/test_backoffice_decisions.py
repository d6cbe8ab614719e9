"""Approving and rejecting in the back office."""

import pytest
from bs4 import BeautifulSoup
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.accounts.models import User
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from tests.http.backoffice_world import QUEUE, log_in, make_decider, make_request, make_staff

pytestmark = pytest.mark.django_db
_Status = CancellationRequest.Status


@pytest.fixture
def decider() -> User:
    return make_decider()


@pytest.fixture
def browser(decider: User) -> Client:
    return log_in(decider)


def _said(response: object) -> list[str]:
    assert isinstance(response, HttpResponse)
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]  # the test client's answer has it


def _jobs() -> list[tuple[str, object]]:
    return [
        (job.task_name, job.args["pk"])
        for job in ProcrastinateJob.objects.order_by("id")
        if job.task_name != jobs.SEND_EMAIL
    ]


def _events(order: Order) -> list[tuple[str, str, int | None]]:
    return list(order.timeline.order_by("id").values_list("event", "actor", "user_id"))


def test_approve_records_who_did_it_and_leaves_the_rest_to_the_worker(browser: Client, decider: User) -> None:
    request = make_request()
    order = request.line.submission.order

    response = browser.post(f"{QUEUE}{request.pk}/approve/")

    assert (response.status_code, response["Location"]) == (302, QUEUE)
    assert _said(response) == [f"Request #{request.pk} is approved; it is on its way to Omnitron."]
    request.refresh_from_db()
    assert (request.status, request.decided_by) == (_Status.APPROVED, decider)
    assert _events(order)[1:] == [("request_approved", "staff", decider.pk)]
    assert _jobs() == [("aftercart.execute_approval", request.pk)]


def test_reject_asks_why_and_tells_the_customer(browser: Client, decider: User) -> None:
    request = make_request()

    page = browser.get(f"{QUEUE}{request.pk}/reject/")
    assert page.status_code == 200
    assert "The customer will read it." in page.content.decode()
    request.refresh_from_db()
    assert request.status == _Status.WAITING

    response = browser.post(f"{QUEUE}{request.pk}/reject/", {"reason": "The parcel has left."})

    assert (response.status_code, response["Location"]) == (302, QUEUE)
    request.refresh_from_db()
    assert (request.status, request.reject_reason, request.decided_by) == (
        _Status.REJECTED,
        "The parcel has left.",
        decider,
    )
    entry = TimelineEntry.objects.get(event="cancellation_rejected")
    assert (entry.cause, entry.user) == ("The parcel has left.", decider)
    assert _jobs() == [("aftercart.deliver_rejection", request.pk)]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_a_rejection_without_a_readable_reason_is_asked_again(browser: Client, reason: str) -> None:
    request = make_request()

    response = browser.post(f"{QUEUE}{request.pk}/reject/", {"reason": reason})

    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    request.refresh_from_db()
    assert request.status == _Status.WAITING
    assert _jobs() == []


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_second_decision_says_already_decided_and_changes_nothing(
    browser: Client, decider: User, verb: str
) -> None:
    request = make_request()
    browser.post(f"{QUEUE}{request.pk}/approve/")
    before = (CancellationRequest.objects.values().get(), _events(request.line.submission.order), _jobs())

    response = browser.post(f"{QUEUE}{request.pk}/{verb}/", {"reason": "Too late."})

    assert (response.status_code, response["Location"]) == (302, f"{QUEUE}{request.pk}/change/")
    said = _said(response)[-1]
    assert said.startswith(f"This request has already been decided. {decider.email} approved it on ")
    after = (CancellationRequest.objects.values().get(), _events(request.line.submission.order), _jobs())
    assert after == before


def test_a_decision_returns_to_the_queue_as_it_was_filtered(browser: Client) -> None:
    request = make_request()

    response = browser.post(f"{QUEUE}{request.pk}/approve/?_changelist_filters=type%3Dcancel%26p%3D2")

    assert response["Location"] == f"{QUEUE}?type=cancel&p=2"


def test_looking_never_approves(browser: Client) -> None:
    request = make_request()

    assert browser.get(f"{QUEUE}{request.pk}/approve/").status_code == 405
    request.refresh_from_db()
    assert request.status == _Status.WAITING


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_from_another_site_is_refused(decider: User, verb: str) -> None:
    request = make_request()
    browser = log_in(decider, checks_csrf=True)

    response = browser.post(f"{QUEUE}{request.pk}/{verb}/", {"reason": "Forged."})

    assert response.status_code == 403
    request.refresh_from_db()
    assert request.status == _Status.WAITING
    assert _jobs() == []


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_view_only_staff_cannot_decide_and_see_no_buttons(verb: str) -> None:
    request = make_request()
    browser = log_in(make_staff("view_cancellationrequest"))

    page = browser.get(f"{QUEUE}{request.pk}/change/").content.decode()
    assert "/approve/" not in page
    assert "/reject/" not in page
    assert 'name="action"' not in browser.get(QUEUE).content.decode()
    assert browser.post(f"{QUEUE}{request.pk}/{verb}/", {"reason": "No."}).status_code == 403
    browser.post(QUEUE, {"action": f"{verb}_selected", "_selected_action": [request.pk], "reason": "No."})

    request.refresh_from_db()
    assert request.status == _Status.WAITING
    assert _jobs() == []


def test_deciders_see_both_buttons_while_a_request_waits(browser: Client) -> None:
    waiting, held = make_request(), make_request(_Status.VERIFYING)

    page = browser.get(f"{QUEUE}{waiting.pk}/change/").content.decode()
    assert f'action="{QUEUE}{waiting.pk}/approve/"' in page
    assert f'href="{QUEUE}{waiting.pk}/reject/"' in page

    page = browser.get(f"{QUEUE}{held.pk}/change/").content.decode()
    assert "/approve/" not in page
    assert "/reject/" not in page
    assert "Omnitron&#x27;s answer is being checked." in page


def choose(browser: Client, verb: str, *requests: CancellationRequest, **fields: str) -> str:
    """Choose requests in the list and do something to them; the page that answers."""
    chosen = {"action": f"{verb}_selected", "_selected_action": [request.pk for request in requests]}
    response = browser.post(QUEUE, {**chosen, **fields})
    assert response.status_code == 200
    return response.content.decode()


def list_fates(page: str) -> dict[str, str]:
    """Read what the page says of each request, by its number."""
    rows = BeautifulSoup(page, "html.parser").select(".bo-table tbody tr")
    return {row.td.get_text(): row.select("td")[-1].get_text() for row in rows if row.td is not None}


def test_many_are_asked_about_and_then_approved_one_by_one(browser: Client) -> None:
    waiting = [make_request(), make_request()]
    held = make_request(_Status.VERIFYING)

    page = choose(browser, "approve", *waiting, held)

    assert "Approve 2 requests?" in page
    assert list_fates(page)[f"#{held.pk}"].startswith("Omnitron's answer is still unknown.")
    assert CancellationRequest.objects.filter(status=_Status.APPROVED).count() == 0
    assert _jobs() == []

    page = choose(browser, "approve", *waiting, held, confirmed="1")

    assert "2 of 3 requests decided" in page
    fates = list_fates(page)
    assert [fates[f"#{request.pk}"] for request in waiting] == ["You have just approved it."] * 2
    assert fates[f"#{held.pk}"].startswith("Omnitron's answer is still unknown.")
    assert list(CancellationRequest.objects.order_by("id").values_list("status", flat=True)) == [
        _Status.APPROVED,
        _Status.APPROVED,
        _Status.VERIFYING,
    ]
    assert _jobs() == [("aftercart.execute_approval", request.pk) for request in waiting]


def test_many_are_rejected_for_one_reason(browser: Client) -> None:
    requests = [make_request(), make_request()]

    page = choose(browser, "reject", *requests)
    assert "Reject 2 requests" in page
    assert CancellationRequest.objects.filter(status=_Status.WAITING).count() == 2

    page = choose(browser, "reject", *requests, reason="Sold out of time.")

    assert "2 of 2 requests decided" in page
    assert set(list_fates(page).values()) == {"You have just rejected it."}
    assert set(CancellationRequest.objects.values_list("status", "reject_reason")) == {
        (_Status.REJECTED, "Sold out of time.")
    }
    assert _jobs() == [("aftercart.deliver_rejection", request.pk) for request in requests]


@pytest.mark.parametrize(("verb", "fields"), [("approve", {"confirmed": "1"}), ("reject", {"reason": "No."})])
@pytest.mark.parametrize("theirs", ["approve", "reject"])
def test_what_a_colleague_took_meanwhile_is_named_with_who_and_how(
    browser: Client, verb: str, fields: dict[str, str], theirs: str
) -> None:
    mine, taken = make_request(), make_request()
    choose(browser, verb, mine, taken)
    colleague = make_decider()
    log_in(colleague).post(f"{QUEUE}{taken.pk}/{theirs}/", {"reason": "Already packed."})
    before = CancellationRequest.objects.filter(pk=taken.pk).values().get()

    page = choose(browser, verb, mine, taken, **fields)

    fate = list_fates(page)[f"#{taken.pk}"]
    did = {"approve": "approved", "reject": "rejected"}[theirs]
    assert fate.startswith(f"This request has already been decided. {colleague.email} {did} it on ")
    assert list_fates(page)[f"#{mine.pk}"].startswith("You have just ")
    assert CancellationRequest.objects.filter(pk=taken.pk).values().get() == before


def test_what_cannot_be_approved_is_said_with_the_reason_and_left(browser: Client) -> None:
    part, shipped = make_request(), make_request()
    OrderItem.objects.filter(pk=part.line.order_item_id).update(quantity=3, remote_pks=[1])
    OrderItem.objects.filter(pk=shipped.line.order_item_id).update(status="500")

    fates = list_fates(choose(browser, "approve", part, shipped, confirmed="1"))

    assert "a part of this line" in fates[f"#{part.pk}"]
    assert "has been shipped" in fates[f"#{shipped.pk}"]
    assert set(CancellationRequest.objects.values_list("status", flat=True)) == {_Status.WAITING}
    assert _jobs() == []


def test_where_nothing_can_be_approved_nothing_is_offered(browser: Client) -> None:
    page = choose(browser, "approve", make_request(_Status.VERIFYING))

    assert "Approve 0 requests?" in page
    assert 'name="confirmed"' not in page


@pytest.mark.parametrize("pks", [["x"], ["99999999999999999999999"], ["-1"], ["4711"], ["²"]])
def test_what_is_not_a_request_is_passed_over(browser: Client, pks: list[str]) -> None:
    response = browser.post(QUEUE, {"action": "approve_selected", "_selected_action": pks, "confirmed": "1"})

    assert response.status_code == 302


def test_a_request_that_approving_cannot_help_offers_what_works_and_says_why(browser: Client) -> None:
    request = make_request()
    OrderItem.objects.filter(pk=request.line.order_item_id).update(quantity=3, remote_pks=[1])

    page = browser.get(f"{QUEUE}{request.pk}/change/").content.decode()

    assert "/approve/" not in page
    assert f'href="{QUEUE}{request.pk}/reject/"' in page
    assert "cancel a part of this line directly. Please decide this request there." in page


def test_more_than_a_page_is_never_decided_at_once(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aftercart.backoffice.decisions.MOST", 1)
    requests = [make_request(), make_request()]

    response = browser.post(
        QUEUE,
        {
            "action": "approve_selected",
            "select_across": "1",
            "_selected_action": [request.pk for request in requests],
        },
    )

    assert _said(response) == ["Choose at most 1 requests at a time."]
    assert CancellationRequest.objects.filter(status=_Status.WAITING).count() == 2


def test_a_request_that_is_not_there_is_not_found(browser: Client) -> None:
    assert browser.post(f"{QUEUE}4711/approve/").status_code == 404
    assert browser.get(f"{QUEUE}4711/change/").status_code == 404
    assert browser.get(f"{QUEUE}99999999999999999999999/change/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_approve_commits_by_itself() -> None:
    request = make_request()

    log_in(make_decider()).post(f"{QUEUE}{request.pk}/approve/")

    request.refresh_from_db()
    assert request.status == _Status.APPROVED
