"""Kill the worker at every point of sending a code: never two mails, and none lost that the guest cannot have again."""

from pathlib import Path

import pytest
from pytest_django import Settings

from aftercart.actions.account.ask_one_time_code import ask_one_time_code
from aftercart.actions.account.send_one_time_code import send_one_time_code
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.mail.models import Email
from aftercart.orders.models import OneTimeCode, Order
from tests.emails import send_emails
from tests.faults.points import survive
from tests.shop import make_order

pytestmark = pytest.mark.django_db(transaction=True)


def ask(order: Order) -> int:
    asked = ask_one_time_code(
        number=order.number, email=order.user_email, language="en", client=f"192.0.2.{order.pk % 250}"
    )
    return OneTimeCode.objects.get(uuid=asked).pk


@pytest.mark.timeout(900)
def test_wherever_the_worker_dies_a_code_is_mailed_at_most_once(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.GUEST_LOOKUPS = 10**6
    lost = 0
    for deadly in range(1, 100):
        folder = tmp_path / str(deadly)
        settings.EMAIL_FILE_PATH = folder
        order = make_order(None)
        Order.objects.filter(pk=order.pk).update(user_email=f"guest{deadly}@example.com")
        order.refresh_from_db()
        pk = ask(order)

        has_survived = survive(deadly, work, pk) is not None

        handed_over = Email.objects.filter(order=order, state=Email.State.SENDING).exists()
        recover_jobs()
        work(pk)  # as the jobs do that a dead worker left
        mails = len(list(folder.iterdir())) if folder.exists() else 0
        assert mails <= 1
        if mails == 0:  # it died while it handed the e-mail over: nobody knows, so it is not sent again
            assert handed_over
            lost += 1
            work(ask(order))  # the guest asks again
            assert len(list(folder.iterdir())) == 1
        if has_survived:
            assert mails == 1
            break
    assert deadly > 12, "points are missing: what is no longer watched?"
    assert 1 <= lost <= 3, "between the claim of the e-mail and its delivery, and nowhere else"


def work(pk: int) -> None:
    """Do what the worker does for one request for a code: decide, and send the e-mail."""
    send_one_time_code(pk)
    send_emails()
