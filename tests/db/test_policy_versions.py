"""The policy's versions: which one holds from when on, and that what is published, or was judged, never changes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from aftercart.accounts.models import User
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.policy.draft_policy import draft_policy
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.actions.policy.publish_policy import PolicyPublished, publish_policy
from aftercart.cancellations.models import CancellationRequest, PolicyRule, PolicyVersion, Submission
from aftercart.cancellations.policy.selectors import (
    get_book,
    get_default_book,
    get_policy,
    read_book,
    write_rules,
)
from aftercart.orders.errors import CancellationRefused, InputInvalid
from aftercart.orders.models import Order, TimelineEntry
from aftercart.orders.policy.clauses import Clause, PolicyBook
from aftercart.orders.policy.topics import Effect, Topic
from tests.shop import Line, Shop

pytestmark = pytest.mark.django_db


def make_staff() -> User:
    return User.objects.create_user(f"staff{User.objects.count()}@example.com", is_staff=True)


def publish(*clauses: Clause, at: timedelta | None = None) -> PolicyVersion:
    """Publish the default policy with these clauses besides."""
    staff = make_staff()
    pk = draft_policy(staff, get_default_book())
    version = PolicyVersion.objects.get(pk=pk)
    PolicyRule.objects.bulk_create(write_rules(version, clauses))
    publish_policy(pk, staff, timezone.now() + at if at else None)
    version.refresh_from_db()
    return version


REVIEW_ALL = Clause(number=900, topic=Topic.APPROVAL, effect=Effect.REVIEW, channel_id=1)
REFUSE_ALL = Clause(
    number=900,
    topic=Topic.STATUS,
    effect=Effect.REFUSE,
    channel_id=1,
    code="closed",
    message_en="We are closed.",
    message_tr="Kapalıyız.",
)


def test_until_something_is_published_the_settings_are_the_policy(settings: Settings) -> None:
    settings.INVOICE_NEEDS_REVIEW = False
    shop = Shop([Line(invoice_number="INV-1")])

    assert cancel_items(shop.command(), shop.fake).status == 204

    version = PolicyVersion.objects.get()
    assert (version.is_default, version.state) == (True, "published")
    assert Submission.objects.get().policy_version == version
    assert read_book(version).clauses == get_default_book().clauses


def test_one_default_is_kept_once_and_another_one_beside_it(settings: Settings) -> None:
    first, second = keep_policy(get_default_book()), keep_policy(get_default_book())
    settings.RETURN_WINDOW = timedelta(days=30)
    third = keep_policy(get_default_book())

    assert first == second != third
    assert PolicyVersion.objects.count() == 2


def test_a_kept_default_does_not_outlive_its_settings(settings: Settings) -> None:
    keep_policy(get_default_book())
    settings.CANCEL_STATUSES = frozenset({"200"})
    shop = Shop()

    with pytest.raises(CancellationRefused):
        cancel_items(shop.command(), shop.fake)


def test_no_status_at_all_allows_nothing_rather_than_everything(settings: Settings) -> None:
    settings.CANCEL_STATUSES = frozenset()
    shop = Shop()

    with pytest.raises(CancellationRefused) as caught:
        cancel_items(shop.command(), shop.fake)

    assert caught.value.code == "status_not_allowed"


def test_what_staff_publish_holds_at_once_whatever_the_settings_say(settings: Settings) -> None:
    version = publish(REVIEW_ALL)
    settings.REVIEW_ABOVE_AMOUNT = Decimal(1)
    shop = Shop()

    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 200
    submission = Submission.objects.get()
    assert (submission.policy_version, submission.cause) == (version, "type_needs_approval")
    entry = TimelineEntry.objects.get(event="cancellation_submitted")
    assert entry.data["policy"] == version.pk
    assert entry.data["reviews"] == [[shop.items[0].pk, "type_needs_approval", 900]]
    assert CancellationRequest.objects.get().cause == "type_needs_approval"


def test_a_later_policy_changes_nothing_that_was_judged() -> None:
    shop = Shop([Line(), Line()])
    first = publish(REVIEW_ALL)
    cancel_items(shop.command(0), shop.fake)
    second = publish()

    cancel_items(shop.command(1), shop.fake)

    newer, older = Submission.objects.all()
    assert (older.policy_version, newer.policy_version) == (first, second)
    assert (older.state, newer.state) == ("refused", "applied")
    assert read_book(first).by_topic[Topic.APPROVAL] == (REVIEW_ALL,)


def test_a_version_holds_from_its_time_on() -> None:
    now = publish()
    later = publish(REFUSE_ALL, at=timedelta(days=2))

    assert get_book().version == now.pk
    assert get_book(timezone.now() + timedelta(days=1)).version == now.pk
    assert get_book(timezone.now() + timedelta(days=3)).version == later.pk
    assert get_book(timezone.now() - timedelta(days=1)).version is None


def test_a_draft_is_not_in_force() -> None:
    draft_policy(make_staff(), PolicyBook((REFUSE_ALL,)))
    shop = Shop()

    assert cancel_items(shop.command(), shop.fake).status == 204


def test_nothing_is_published_into_the_past_nor_twice_nor_empty() -> None:
    staff = make_staff()
    pk = draft_policy(staff, get_default_book())

    with pytest.raises(InputInvalid) as caught:
        publish_policy(pk, staff, timezone.now() - timedelta(minutes=1))
    assert list(caught.value.fields) == ["effective_from"]
    assert PolicyVersion.objects.get(pk=pk).is_draft

    publish_policy(pk, staff)
    moment = PolicyVersion.objects.get(pk=pk).effective_from
    with pytest.raises(PolicyPublished):
        publish_policy(pk, staff)
    assert PolicyVersion.objects.get(pk=pk).effective_from == moment

    empty = draft_policy(staff, PolicyBook(()))
    with pytest.raises(InputInvalid, match="without rules"):
        publish_policy(empty, staff)
    assert PolicyVersion.objects.get(pk=empty).is_draft


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cancellations_policyrule SET effect = 'allow' WHERE version_id = %s",
        "DELETE FROM cancellations_policyrule WHERE version_id = %s",
        "UPDATE cancellations_policyversion SET effective_from = now() - interval '1 year' WHERE id = %s",
        "UPDATE cancellations_policyversion SET state = 'draft' WHERE id = %s",
        "DELETE FROM cancellations_policyversion WHERE id = %s",
    ],
)
def test_the_database_refuses_to_change_what_is_published(statement: str) -> None:
    version = publish(REVIEW_ALL)
    before = list(PolicyRule.objects.values()), list(PolicyVersion.objects.values())

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [version.pk])

    assert (list(PolicyRule.objects.values()), list(PolicyVersion.objects.values())) == before


def test_a_rule_cannot_be_added_or_moved_into_a_published_version() -> None:
    version = publish()
    other = PolicyVersion.objects.get(pk=draft_policy(make_staff(), PolicyBook((REVIEW_ALL,))))
    stray = write_rules(version, [REVIEW_ALL])[0]

    with pytest.raises(DatabaseError, match="published"), transaction.atomic():
        stray.save()
    with pytest.raises(DatabaseError, match="published"), transaction.atomic():
        other.rules.update(version=version)

    assert list(other.rules.values_list("number", flat=True)) == [900]


def test_a_draft_may_change_and_go() -> None:
    pk = draft_policy(make_staff(), get_default_book())
    PolicyRule.objects.filter(version=pk).update(message_en="Hello")

    PolicyVersion.objects.get(pk=pk).delete()

    assert PolicyRule.objects.count() == 0


def test_an_author_who_is_deleted_leaves_the_version() -> None:
    version = publish()
    assert version.author is not None

    version.author.delete()

    version.refresh_from_db()
    assert version.author_id is None
    assert not version.is_draft


def test_the_policy_costs_one_query_and_one_more_for_a_version_not_met_before(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        get_book()
    publish(REVIEW_ALL)

    with django_assert_num_queries(2):
        get_book()
    with django_assert_num_queries(1):
        book = get_book()
    with django_assert_num_queries(0):
        get_policy(Order(channel_id=1, currency="TRY"), book)
