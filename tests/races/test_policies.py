"""Races for the policy: one default is kept once, and no rule changes behind a publication."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from aftercart.accounts.models import User
from aftercart.actions.policy.draft_policy import draft_policy
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.actions.policy.publish_policy import publish_policy
from aftercart.cancellations.models import PolicyRule, PolicyVersion
from aftercart.cancellations.policy.selectors import get_default_book, read_book
from tests.races.together import interrupted, race, without_unique
from tests.shop import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


def keep_default() -> int:
    with transaction.atomic():
        return keep_policy(get_default_book())


def test_many_who_are_the_first_keep_one_default() -> None:
    pks = race(8, lambda _n: keep_default())

    version = PolicyVersion.objects.get()
    assert pks == [version.pk] * 8
    assert read_book(version).clauses == get_default_book().clauses


#: Where the default has been looked for and not been found.
_BULK = "django.db.models.query.QuerySet.bulk_create"


def is_of_versions(rows: Any, *_args: Any, **_options: Any) -> bool:
    return rows.model is PolicyVersion


def test_a_default_that_was_kept_in_between_is_taken() -> None:
    with interrupted(_BULK, keep_default, when=is_of_versions) as other:
        pk = keep_default()

    assert (other.had_to_wait, other.outcome) == (False, pk)
    assert PolicyVersion.objects.count() == 1


def test_without_the_index_there_are_two_defaults_and_nothing_can_be_judged_by_it() -> None:
    with without_unique("one_row_a_default"):
        with (
            interrupted(_BULK, keep_default, when=is_of_versions) as other,
            pytest.raises(PolicyVersion.MultipleObjectsReturned),
        ):
            keep_default()
        assert (
            PolicyVersion.objects.get().pk == other.outcome
        )  # the second was rolled back, with what it was for


# --- two who write rules of one draft ------------------------------------------------------------------------

SAVING_A_RULE = "aftercart.cancellations.models.policies.PolicyRule.save_base"


def add_rule(version_pk: int, effect: str) -> str:
    """Add a rule with a number that is free, as the form does."""
    rule = PolicyRule(version_id=version_pk, number=15, topic="final_sale", effect=effect)
    rule.full_clean()
    rule.save()
    return "added"


def make_draft() -> int:
    staff = User.objects.create_user("staff@example.com")
    return draft_policy(staff, get_default_book())


def list_effects(version_pk: int) -> list[str]:
    return list(PolicyRule.objects.filter(version=version_pk, number=15).values_list("effect", flat=True))


def test_of_two_who_take_one_number_for_a_rule_one_is_refused() -> None:
    pk = make_draft()

    with (
        interrupted(SAVING_A_RULE, lambda: add_rule(pk, "refuse")) as other,
        pytest.raises(IntegrityError, match="one_rule_a_number"),
    ):
        add_rule(pk, "allow")

    assert (other.had_to_wait, other.outcome) == (False, "added")
    assert list_effects(pk) == ["refuse"]


def test_without_the_constraint_two_rules_have_one_number() -> None:
    """And an answer that names the rule which refused it names two."""
    pk = make_draft()

    with without_unique("one_rule_a_number"):
        with interrupted(SAVING_A_RULE, lambda: add_rule(pk, "refuse")) as other:
            assert add_rule(pk, "allow") == other.outcome == "added"
        assert sorted(list_effects(pk)) == ["allow", "refuse"]


# --- a publication -------------------------------------------------------------------------------------------


def test_a_draft_is_published_once_however_often_somebody_clicks() -> None:
    staff = User.objects.create_user("staff@example.com")
    pk = draft_policy(staff, get_default_book())

    outcomes = race(6, lambda _n: publish_policy(pk, staff))

    moment = PolicyVersion.objects.get(pk=pk).effective_from
    assert outcomes.count(moment) == 1
    assert outcomes.count("policy_published") == 5


def edit(version_pk: int) -> None:
    """Change two rules of a draft, in one transaction, as a page of the back office does."""
    with transaction.atomic():
        for rule in PolicyRule.objects.filter(version=version_pk).order_by("number")[:2]:
            rule.message_en = "Changed"
            rule.save(update_fields=["message_en"])


def is_second_rule(rule: PolicyRule, **_options: Any) -> bool:
    return PolicyRule.objects.filter(version=rule.version_id, number__lt=rule.number).count() == 1


def count_changed(version_pk: int) -> int:
    return PolicyRule.objects.filter(version=version_pk, message_en="Changed").count()


def publish(version_pk: int, staff: User) -> int:
    """Publish; how many of the changes were in what was published."""
    publish_policy(version_pk, staff)
    return count_changed(version_pk)


def test_a_publication_waits_for_an_edit_and_has_it() -> None:
    staff, pk = make_customer(), make_draft()

    with interrupted(SAVING_A_RULE, lambda: publish(pk, staff), when=is_second_rule) as other:
        edit(pk)

    assert (other.had_to_wait, other.outcome) == (True, 2)
    assert PolicyVersion.objects.get(pk=pk).state == "published"


def test_without_the_lock_a_rule_changes_after_it_was_published() -> None:
    """The lock is in a trigger, which also refuses to change what has been published."""
    staff, pk = make_customer(), make_draft()

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cancellations_policyrule DISABLE TRIGGER cancellations_rule_stays")
    try:
        with interrupted(SAVING_A_RULE, lambda: publish(pk, staff), when=is_second_rule) as other:
            edit(pk)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE cancellations_policyrule ENABLE TRIGGER cancellations_rule_stays")

    assert (other.had_to_wait, other.outcome) == (False, 0)
    assert count_changed(pk) == 2
