"""Begin a new version of the policy: a draft with the rules of another one, for staff to edit."""

from django.db import transaction

from aftercart.accounts.models import User
from aftercart.cancellations.models.policies import PolicyRule, PolicyVersion
from aftercart.cancellations.policy.selectors import write_rules
from aftercart.orders.policy.clauses import PolicyBook


@transaction.atomic(durable=True)
def draft_policy(staff: User, source: PolicyBook) -> int:
    """Copy a policy into a new draft, and give its number. Nothing else changes until it is published."""
    version = PolicyVersion.objects.create(author=staff)
    PolicyRule.objects.bulk_create(write_rules(version, source.clauses))
    return version.pk
