"""Races for the policy: one default is kept once, and no rule changes behind a publication."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from aftercart.accounts.models import User
from aftercart.actions.draft_policy import draft_policy
from aftercart.actions.keep_policy import keep_policy
from aftercart.actions.publish_policy import PolicyPublished, publish_policy
from aftercart.cancellations.models import PolicyRule, PolicyVersion
from aftercart.cancellations.policy_selectors import get_default_book, read_book

pytestmark = pytest.mark.django_db(transaction=True)


def race(count: int, action: Callable[[], Any]) -> list[Any]:
    """Do an action in so many threads at once; what each returned, or the class of what it raised."""
    barrier = threading.Barrier(count)

    def run(_n: int) -> Any:
        try:
            barrier.wait(10)
            return action()
        except (DatabaseError, PolicyPublished) as error:
            return type(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def keep_default() -> int:
    with transaction.atomic():
        return keep_policy(get_default_book())


def test_many_who_are_the_first_keep_one_default() -> None:
    pks = race(8, keep_default)

    version = PolicyVersion.objects.get()
    assert pks == [version.pk] * 8
    assert read_book(version).clauses == get_default_book().clauses


def test_without_the_index_each_of_them_keeps_a_default_of_its_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef('one_row_a_default'::regclass)")
        definition = cursor.fetchone()[0]
        cursor.execute("DROP INDEX one_row_a_default")
    try:
        held = threading.Barrier(2)

        def make_one() -> None:
            with transaction.atomic():
                row = PolicyVersion(is_default=True, fingerprint="same")
                PolicyVersion.objects.bulk_create([row], ignore_conflicts=True)
                held.wait(10)

        race(2, make_one)

        assert PolicyVersion.objects.filter(fingerprint="same").count() == 2
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE cancellations_policyversion CASCADE")
            cursor.execute(definition)


def test_a_draft_is_published_once_however_often_somebody_clicks() -> None:
    staff = User.objects.create_user("staff@example.com")
    pk = draft_policy(staff, get_default_book())

    outcomes = race(6, lambda: publish_policy(pk, staff))

    moment = PolicyVersion.objects.get(pk=pk).effective_from
    assert outcomes.count(moment) == 1
    assert outcomes.count(PolicyPublished) == 5


def edit_while_publishing(pk: int, staff: User) -> list[Any]:
    """Edit a rule in a transaction that ends only when the publication waits for it, or is through."""
    edited, published = threading.Event(), threading.Event()

    def edit() -> None:
        with transaction.atomic():
            PolicyRule.objects.filter(version=pk, number=10).update(message_en="Changed")
            edited.set()
            published.wait(1)

    def publish() -> bool:
        edited.wait(10)
        publish_policy(pk, staff)
        was_waiting = PolicyRule.objects.get(version=pk, number=10).message_en == "Changed"
        published.set()
        return was_waiting

    actions = iter([edit, publish])
    lock = threading.Lock()

    def next_one() -> Any:
        with lock:
            action = next(actions)
        return action()

    return race(2, next_one)


def test_a_publication_waits_for_an_edit_and_has_it() -> None:
    staff = User.objects.create_user("staff@example.com")
    pk = draft_policy(staff, get_default_book())

    assert True in edit_while_publishing(pk, staff)


def test_without_the_lock_a_rule_changes_after_it_was_published() -> None:
    staff = User.objects.create_user("staff@example.com")
    pk = draft_policy(staff, get_default_book())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cancellations_policyrule DISABLE TRIGGER cancellations_rule_stays")
    try:
        assert False in edit_while_publishing(pk, staff)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE cancellations_policyrule ENABLE TRIGGER cancellations_rule_stays")
