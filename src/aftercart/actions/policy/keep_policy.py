"""Keep the policy that something is judged by, so that it can be looked up after it has changed."""

from aftercart.cancellations.models.policies import PolicyRule, PolicyVersion
from aftercart.cancellations.policy.selectors import write_rules
from aftercart.lib.clock import get_now
from aftercart.orders.policy.clauses import PolicyBook


def keep_policy(book: PolicyBook) -> int:
    """Give the number of a policy's version; the default is made a version the first time. In a transaction.

    Of several who keep the same default at once one makes it, and the others wait for its end and find it.
    """
    if book.version is not None:
        return book.version
    found = PolicyVersion.objects.filter(is_default=True, fingerprint=book.fingerprint)
    pk = found.values_list("pk", flat=True).first()
    if pk is not None:
        return pk
    draft = PolicyVersion(is_default=True, fingerprint=book.fingerprint, note="Default of the settings")
    PolicyVersion.objects.bulk_create([draft], ignore_conflicts=True)
    version = found.get()
    if version.is_draft:  # ours: another's is seen only when it is whole
        PolicyRule.objects.bulk_create(write_rules(version, book.clauses))
        now = get_now()
        found.update(state=PolicyVersion.State.PUBLISHED, effective_from=now, published_at=now)
    return version.pk
