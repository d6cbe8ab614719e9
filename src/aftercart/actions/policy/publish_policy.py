"""Publish a draft of the policy: from then on it never changes, and from its time on it is in force."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.cancellations.models.policies import PolicyVersion
from aftercart.lib.clock import get_now
from aftercart.orders.errors import Conflict, InputInvalid

_State = PolicyVersion.State


class PolicyPublished(Conflict):
    """The version has been published already."""

    code = "policy_published"
    sentence = gettext_lazy("This version is already published and can no longer be changed.")


@transaction.atomic(durable=True)
def publish_policy(version_pk: int, staff: User, effective_from: datetime | None = None) -> datetime:
    """Publish, effective from a time (None: from now on), which is returned.

    Raises `PolicyPublished`, and `InputInvalid` for a time that has passed or a draft without rules: what has
    been judged stays as it was judged.
    """
    now = get_now()
    if effective_from is not None and effective_from < now:
        raise InputInvalid({"effective_from": [_("This time has passed. Choose a time in the future.")]})
    moment = effective_from or now
    count = PolicyVersion.objects.filter(pk=version_pk, state=_State.DRAFT).update(
        state=_State.PUBLISHED, effective_from=moment, published_at=now, author=staff
    )
    if not count:
        raise PolicyPublished
    if not PolicyVersion.objects.filter(pk=version_pk, rules__isnull=False).exists():
        raise InputInvalid({"rules": [_("A policy without rules would refuse everything.")]})
    return moment
