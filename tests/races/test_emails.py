"""Two who tell of one event, two who want no e-mails, and a link that is sent while its address changes."""

import uuid

import pytest
from django.db import transaction

from aftercart.actions.account.mail_order_link import mail_order_link
from aftercart.actions.account.opt_out import opt_out
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.mail.notify_customer import notify_completed, post
from aftercart.cancellations.models import Submission, SubmissionLine
from aftercart.mail.models import Email, LineNotice, OptOut
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from tests.races.together import interrupted, race, without_lock, without_unique
from tests.shop import Line, Shop, make_order

pytestmark = pytest.mark.django_db(transaction=True)

# --- one e-mail an event -------------------------------------------------------------------------------------

SAVING_AN_EMAIL = "aftercart.mail.outbox.insert_if_new"
EVENT = uuid.UUID("00000000-0000-4000-8000-000000000001")


def report(order: Order) -> str:
    with transaction.atomic():
        post(order, Email.Kind.CANCELLATION_COMPLETED, EVENT, {})
    return "reported"


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_who_report_one_event_one_writes_the_email(count: int) -> None:
    order = make_order(None)

    assert race(count, lambda _n: report(order)) == ["reported"] * count

    assert Email.objects.count() == 1


def test_an_event_that_was_told_of_in_between_is_not_told_again() -> None:
    order = make_order(None)

    with interrupted(SAVING_AN_EMAIL, lambda: report(order)) as other:
        assert report(order) == "reported"

    assert (other.had_to_wait, other.outcome) == (False, "reported")
    assert Email.objects.count() == 1


def test_without_the_constraint_the_customer_gets_two_emails() -> None:
    order = make_order(None)

    with without_unique("one_email_an_event"):
        with interrupted(SAVING_AN_EMAIL, lambda: report(order)) as other:
            assert report(order) == other.outcome == "reported"
        assert Email.objects.filter(subject=EVENT, state="prepared").count() == 2


# --- who wants none ------------------------------------------------------------------------------------------

SAVING_AN_ADDRESS = "aftercart.mail.models.OptOut.save_base"


def test_who_opts_out_twice_at_once_is_remembered_once() -> None:
    with interrupted(SAVING_AN_ADDRESS, lambda: opt_out("guest@example.com")) as other:
        opt_out("guest@example.com")

    assert (other.had_to_wait, other.outcome) == (False, None)
    assert OptOut.objects.count() == 1


def test_without_the_constraint_an_address_that_is_there_twice_cannot_opt_out_any_more() -> None:
    with without_unique("mail_optout_email_key"):
        with interrupted(SAVING_AN_ADDRESS, lambda: opt_out("guest@example.com")):
            opt_out("guest@example.com")
        assert OptOut.objects.count() == 2
        with pytest.raises(OptOut.MultipleObjectsReturned):
            opt_out("guest@example.com")


# --- a link, and an order that gets another address ----------------------------------------------------------


def correct_address(order: Order) -> int:
    """Correct an order's e-mail, as an import does; how many e-mails went to the old one before."""
    with transaction.atomic():
        locked = lock_order(pk=order.pk)
        count = Email.objects.filter(order=order, recipient=locked.user_email).count()
        locked.user_email = "right@example.com"
        save_order(locked, "user_email")
    return count


def test_who_corrects_an_address_waits_for_the_link_that_is_being_written() -> None:
    order = make_order(None)

    with interrupted("mail_order_link.post", lambda: correct_address(order)) as other:
        mail_order_link(order.number)

    assert (other.had_to_wait, other.outcome) == (True, 1)  # who revokes the links now knows why
    assert Email.objects.get().recipient == "guest@example.com"


def test_without_the_lock_a_link_goes_to_an_address_that_is_the_orders_no_more() -> None:
    order = make_order(None)

    with (
        without_lock("mail_order_link.mail_order_link"),
        interrupted("mail_order_link.post", lambda: correct_address(order)) as other,
    ):
        mail_order_link(order.number)

    assert (other.had_to_wait, other.outcome) == (False, 0)
    assert Order.objects.get().user_email == "right@example.com"
    assert Email.objects.get().recipient == "guest@example.com"


# --- one notice of each outcome of a line --------------------------------------------------------------------

CLAIMING_A_NOTICE = "aftercart.mail.models.LineNotice.save_base"


def complete_two() -> tuple[Order, Submission]:
    """Have two lines of one submission completed whose customer has not been notified yet."""
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(), shop.fake)
    SubmissionLine.objects.update(is_open=False, outcome="completed", completed_quantity=1)
    return shop.order, Submission.objects.get()


def report_both(order: Order, submission: Submission) -> str:
    with transaction.atomic():
        notify_completed(order, submission)
    return "reported"


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_who_tell_what_was_completed_one_does_and_of_all(count: int) -> None:
    order, submission = complete_two()

    assert race(count, lambda _n: report_both(order, submission)) == ["reported"] * count

    email = Email.objects.get(kind="cancellation_completed")
    assert email.notices.count() == LineNotice.objects.count() == 2


def test_without_the_constraint_a_line_is_claimed_by_two() -> None:
    order, submission = complete_two()

    with without_unique("one_notice_an_outcome"):
        with interrupted(CLAIMING_A_NOTICE, lambda: report_both(order, submission)) as other:
            assert report_both(order, submission) == other.outcome == "reported"
        assert (other.had_to_wait, LineNotice.objects.count()) == (False, 3)
        LineNotice.objects.all().delete()
