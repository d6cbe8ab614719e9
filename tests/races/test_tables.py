"""Tables that the staff keep: two who write one row at once, and a comparison that writes into it as well."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, models
from django.test import Client

from aftercart.accounts.models import User
from aftercart.actions.sync.sync_reasons import sync_reasons
from aftercart.cancellations.models import CancellationReason
from aftercart.cancellations.models.easy_return import ReturnInstructions
from aftercart.cancellations.models.withdrawals import WithdrawalPolicy
from tests.fake_omnitron import FakeOmnitron
from tests.races.together import interrupted, without_lock, without_unique
from tests.shop import make_reason

pytestmark = pytest.mark.django_db(transaction=True)


def instruct(text: str) -> str:
    """Write a channel's instructions, as a form does: looked at, and then saved."""
    row = ReturnInstructions(channel_id=None, text=text)
    row.full_clean()
    row.save()
    return text


def offer(text: str) -> str:
    """Write a country's withdrawal period, as a form does."""
    row = WithdrawalPolicy(channel_id=None, country="de", days=len(text))
    row.full_clean()
    row.save()
    return text


CASES: dict[str, tuple[type[models.Model], Callable[[str], str]]] = {
    "one_text_of_instructions_a_channel": (ReturnInstructions, instruct),
    "one_withdrawal_policy": (WithdrawalPolicy, offer),
}


def name_save(model: type[models.Model]) -> str:
    return f"{model.__module__}.{model.__name__}.save_base"


@pytest.mark.parametrize("name", CASES)
def test_of_two_who_write_one_row_at_once_one_is_refused(name: str) -> None:
    model, write = CASES[name]

    with (
        interrupted(name_save(model), lambda: write("one")) as other,
        pytest.raises(IntegrityError, match=name),
    ):
        write("another")

    assert (other.had_to_wait, other.outcome) == (False, "one")
    assert model._default_manager.count() == 1


@pytest.mark.parametrize("name", CASES)
def test_without_the_constraint_there_are_two_and_nobody_knows_which_counts(name: str) -> None:
    model, write = CASES[name]

    with without_unique(name):
        with interrupted(name_save(model), lambda: write("one")) as other:
            assert write("another") == "another"
        assert other.outcome == "one"
        assert model._default_manager.count() == 2


# --- the form of the back office, sent twice at once ---------------------------------------------------------

FORMS: dict[str, dict[str, str]] = {
    "returninstructions": {"channel_id": "", "text": "Pack them well."},
    "withdrawalpolicy": {"channel_id": "", "country": "de", "is_offered": "on", "days": "14"},
}


def send_form(staff: User, name: str) -> int:
    client = Client()
    client.force_login(staff)
    return client.post(f"/backoffice/cancellations/{name}/add/", FORMS[name]).status_code


@pytest.mark.parametrize(
    ("name", "model"), [*zip(FORMS, [ReturnInstructions, WithdrawalPolicy], strict=True)]
)
def test_a_form_that_is_sent_twice_at_once_is_saved_once_and_told_the_second_time(
    name: str, model: type[models.Model]
) -> None:
    staff = User.objects.create_superuser("boss@example.com")

    with interrupted(name_save(model), lambda: send_form(staff, name)) as other:
        assert send_form(staff, name) == 200  # the form again, and what is wrong with it

    assert (other.had_to_wait, other.outcome) == (False, 302)
    assert model._default_manager.count() == 1


# --- a reason that somebody maps while it is compared --------------------------------------------------------


def map_by_hand() -> int:
    return CancellationReason.objects.update(remote_pk=5)


def make_unmapped() -> CancellationReason:
    reason = make_reason()
    CancellationReason.objects.update(remote_pk=None)
    reason.refresh_from_db()
    return reason


def test_who_maps_a_reason_while_it_is_compared_waits_and_has_the_last_word() -> None:
    reason = make_unmapped()

    with interrupted("sync_reasons._match", map_by_hand) as other:
        sync_reasons(FakeOmnitron())

    reason.refresh_from_db()
    assert (other.had_to_wait, other.outcome) == (True, 1)
    assert reason.remote_pk == 5


def test_without_the_lock_what_somebody_has_mapped_is_lost() -> None:
    reason = make_unmapped()

    with (
        without_lock("sync_reasons.sync_reasons"),
        interrupted("sync_reasons._match", map_by_hand) as other,
    ):
        sync_reasons(FakeOmnitron())

    reason.refresh_from_db()
    assert (other.had_to_wait, other.outcome) == (False, 1)
    assert (reason.remote_pk, reason.remote_problem) == (None, "unknown")
