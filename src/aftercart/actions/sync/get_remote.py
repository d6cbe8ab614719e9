"""Find the OMS's ids for our items and reasons, remembered once found."""

from collections.abc import Iterable, Sequence

from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationReason
from aftercart.lib.notes import write_note
from aftercart.oms.messages import RemoteReason
from aftercart.oms.port import Dialogue
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.selectors import read_order_items


class RemoteDiffers(Exception):
    """The OMS knows the order otherwise than we do, so that the direct way is not open. Nothing was sent.

    `note` is what to keep of it for people; without one, its `code` says all.
    """

    def __init__(self, code: Cause, note: str = "") -> None:
        self.code, self.note = code, note or write_note(code)
        super().__init__(self.note)


def get_remote_items(dialogue: Dialogue, order: Order, items: Sequence[OrderItem]) -> dict[int, list[int]]:
    """Give the OMS's item ids for each of ours, asking for those that we do not know yet.

    One of ours can be several of theirs. Raises `RemoteDiffers` for an item that the OMS does not know.
    """
    found = {item.pk: list(item.remote_pks) for item in items}
    unknown = [str(pk) for pk, pks in found.items() if not pks]
    if unknown:
        answer = dialogue.find_object_ids(
            channel_id=order.channel_id, content_type="orderitem", remote_ids=unknown
        )
        found |= {int(pk): list(answer[pk]) for pk in unknown}
    for pk, pks in found.items():
        if not pks:
            raise RemoteDiffers(Cause.OMS_UNKNOWN_ITEM, write_note("item_unknown", item=pk))
    return found


def find_remote_items(dialogue: Dialogue, order: Order) -> dict[int, list[int]]:
    """Find the OMS's item ids for each of an order's, empty for one that the OMS does not know."""
    found: dict[int, list[int]] = {}
    for item in read_order_items(order):
        try:
            found |= get_remote_items(dialogue, order, [item])
        except RemoteDiffers:
            found[item.pk] = []
    return found


def get_remote_reasons(
    dialogue: Dialogue, channel_id: int, reasons: Sequence[CancellationReason]
) -> dict[int, int]:
    """Give the OMS's id for each of our reasons: from the table, else by type and subject, then kept.

    Raises `RemoteDiffers` for a reason that has no partner there.
    """
    unmapped = [reason for reason in reasons if reason.remote_pk is None]
    if unmapped:
        theirs = map_reasons(dialogue.list_reasons(channel_id=channel_id))
        for reason in unmapped:
            pk = theirs.get(name_reason(reason))
            if pk is None:
                note = write_note("no_such_reason", subject=reason.subject)
                raise RemoteDiffers(Cause.REASON_UNMAPPED, note)
            reason.remote_pk = pk
            reason.save(update_fields=["remote_pk", "modified_date"])
    return {reason.pk: reason.remote_pk for reason in reasons if reason.remote_pk is not None}


def map_reasons(rows: Iterable[RemoteReason]) -> dict[tuple[str, str], int]:
    """Map the OMS's active reasons, by `name_reason`, to their ids there."""
    return {name_reason(row): row.pk for row in rows if row.is_active}


def name_reason(reason: CancellationReason | RemoteReason) -> tuple[str, str]:
    """Return what ours and the OMS's reason have in common: type and subject, however that is written."""
    return reason.cancellation_type, reason.subject.strip().casefold()
