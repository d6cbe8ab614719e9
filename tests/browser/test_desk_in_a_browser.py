"""The desk in a real Chromium: deciding several requests at once, and matching a statement to its order."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from aftercart.actions.requests.approve_request import approve_request
from aftercart.cancellations.models import CancellationRequest
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.oms.connect import replace_client
from aftercart.orders.models import OrderItem
from tests.browser.fixtures import make_omnitron
from tests.browser.visit import DESK, PHONE, Visit
from tests.http.backoffice_world import QUEUE, make_decider, make_order, make_request, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


#: How many panels stand on another.
_OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll(".bo-panel")].map(panel => panel.getBoundingClientRect());
  return boxes.filter((a, i) => boxes.some((b, j) => i < j && a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length;
}"""


def enter(visit: Visit, email: str) -> Page:
    page = visit.page
    page.goto("/backoffice/login/")
    page.locator("#id_username").fill(email)
    page.locator("#id_password").fill("staff-12345")
    page.locator("form button, form input[type=submit]").last.click()
    page.wait_for_url(lambda url: "/login/" not in url)
    return page


def make_requests() -> list[CancellationRequest]:
    """Make requests that can be decided, and one that cannot be approved: its item has been shipped."""
    made = [make_request(), make_request(cause="timeout"), make_request(description="The wrong size.")]
    OrderItem.objects.filter(pk=made[1].line.order_item_id).update(status="500")
    return made


@pytest.mark.rotating("size")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("locale", ["en-GB", "tr-TR"])
def test_several_requests_are_decided_at_once(
    open_window: Callable[..., Visit], size: dict[str, int], locale: str
) -> None:
    first, shipped, last = make_requests()
    colleague = make_decider()
    visit = open_window(size=size, locale=locale)
    page = enter(visit, make_decider().email)
    name = f"backoffice-{'phone' if size is PHONE else 'desk'}-{locale[:2]}"

    page.goto(QUEUE)
    visit.assert_fine()
    visit.keep_screenshot(f"{name}-queue")
    for request in (first, shipped, last):
        page.locator(f"input[name=_selected_action][value='{request.pk}']").check()
    run = page.locator("button[name=index]")
    run.wait_for(state="hidden")  # django-unfold's script has begun, and shows it once an action is chosen
    page.locator("select[name=action]").select_option("approve_selected", force=True)
    run.wait_for()
    run.click(force=True)
    visit.assert_fine()
    visit.keep_screenshot(f"{name}-confirm")

    approve_request(last.pk, colleague)  # quicker
    page.locator("main form button[type=submit], #content form button").first.click()
    visit.assert_fine()
    visit.keep_screenshot(f"{name}-result")
    said = {
        "en-GB": "This request has already been decided.",
        "tr-TR": "Bu talep hakkında zaten karar verildi.",
    }
    assert said[locale] in page.locator("#content").inner_text()
    page.goto(f"{QUEUE}{last.pk}/change/")
    visit.assert_fine()
    assert page.evaluate(_OVERLAPS) == 0
    visit.keep_screenshot(f"{name}-request")

    statuses = CancellationRequest.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["approved", "waiting", "approved"]


@pytest.mark.rotating("size", opposites=True)
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("locale", ["en-GB", "tr-TR"])
def test_a_statement_without_a_log_in_is_matched_to_its_order(
    open_window: Callable[..., Visit], size: dict[str, int], locale: str
) -> None:
    order = make_order()
    then = timezone.now() - timedelta(hours=3)
    stated = PublicStatement.objects.create(
        name="Ayşe Yılmaz", number=order.number, email="other@example.com", items="The lamp",
        language="tr", submitted_at=then, is_acknowledged=True,
    )  # fmt: skip
    visit = open_window(size=size, locale=locale)
    page = enter(visit, make_staff("view_publicstatement", "change_publicstatement", "view_order").email)
    name = f"backoffice-{'phone' if size is PHONE else 'desk'}-{locale[:2]}"

    page.goto("/backoffice/cancellations/publicstatement/")
    visit.assert_fine()
    visit.keep_screenshot(f"{name}-statements")
    page.goto(f"/backoffice/cancellations/publicstatement/{stated.pk}/change/")
    visit.assert_fine()
    assert page.evaluate(_OVERLAPS) == 0
    visit.keep_screenshot(f"{name}-statement")
    page.locator(f"a[href$='/{stated.pk}/match/']").click()
    page.locator("[name=items]").first.wait_for()
    visit.assert_fine()
    visit.keep_screenshot(f"{name}-match")
    with replace_client(make_omnitron(order)):
        page.locator("form.bo-panel button").click()
        page.wait_for_url("**/publicstatement/**/change/")
    visit.assert_fine()

    visit.keep_screenshot(f"{name}-matched")
    withdrawal = Withdrawal.objects.get()
    assert (withdrawal.order, withdrawal.submitted_at, withdrawal.email) == (order, then, order.user_email)
    assert f"#{withdrawal.pk}" in page.locator("#content").inner_text()
