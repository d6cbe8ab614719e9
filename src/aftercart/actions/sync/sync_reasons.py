"""Compare our cancellation reasons with the OMS's: find partners for ours, and report what has none."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from aftercart.actions.sync.get_remote import map_reasons, name_reason
from aftercart.cancellations.models import CancellationReason
from aftercart.lib.clock import get_now
from aftercart.oms.messages import RemoteReason
from aftercart.oms.port import OmsClient

_Problem = CancellationReason.RemoteProblem


@dataclass(frozen=True, slots=True)
class ReasonReport:
    """What a comparison found.

    `mapped` counts our active reasons that have a partner, `found` those of them that got it just now.
    `problems` are our active ones without: id, type, subject, problem. `unused` are the OMS's active ones
    that none of ours stands for.
    """

    mapped: int
    found: int
    problems: tuple[tuple[int, str, str, str], ...]
    unused: tuple[RemoteReason, ...]


def sync_reasons(client: OmsClient, channel_id: int | None = None) -> ReasonReport:
    """Read the OMS's reasons, and keep with each of ours its partner or what is wrong. Raises `OmsError`.

    A reason without an id, or with one that the OMS does not know any more, gets the active one of the same
    type and subject. An id that the OMS knows is left as it is, whoever has set it.
    """
    channel = settings.OMNITRON_CHANNEL_ID if channel_id is None else channel_id
    with client.dialogue() as dialogue:
        theirs = {row.pk: row for row in dialogue.list_reasons(channel_id=channel)}
    by_subject = map_reasons(theirs.values())
    found = 0
    problems = []
    used = set()
    with transaction.atomic(durable=True):
        ours = list(CancellationReason.objects.select_for_update(no_key=True).order_by("pk"))
        for reason in ours:
            partner, problem = _match(reason, theirs, by_subject)
            if partner != reason.remote_pk:
                found += reason.is_active
            reason.remote_pk, reason.remote_problem = partner, problem
            reason.remote_checked_at = get_now()
            reason.save(update_fields=["remote_pk", "remote_problem", "remote_checked_at"])
            used.add(partner)
            if problem and reason.is_active:
                problems.append((reason.pk, reason.cancellation_type, reason.subject, problem))
    return ReasonReport(
        mapped=sum(reason.is_active and not reason.remote_problem for reason in ours),
        found=found,
        problems=tuple(problems),
        unused=tuple(row for pk, row in sorted(theirs.items()) if row.is_active and pk not in used),
    )


def _match(
    reason: CancellationReason, theirs: Mapping[int, RemoteReason], by_subject: Mapping[tuple[str, str], int]
) -> tuple[int | None, str]:
    """Find a reason's partner, and what is wrong with it ("": nothing)."""
    known = theirs.get(reason.remote_pk) if reason.remote_pk is not None else None
    if known is not None:
        if known.cancellation_type != reason.cancellation_type:
            return known.pk, _Problem.OTHER_TYPE
        return known.pk, "" if known.is_active else _Problem.INACTIVE
    partner = by_subject.get(name_reason(reason))
    if partner is not None:
        return partner, ""
    return reason.remote_pk, _Problem.UNKNOWN if reason.remote_pk is None else _Problem.GONE
