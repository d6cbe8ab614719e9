"""Send an order to another address (contract section 4): recorded first, then told to the OMS.

Unlike a cancellation, an address change can be sent twice without harm, so what the OMS did not answer is
delivered later, while the order may still change.
"""

from dataclasses import fields
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from aftercart.accounts.document import address_document
from aftercart.accounts.models import Address
from aftercart.actions.address.get_address import AddressUnknown, get_address
from aftercart.actions.commands import AddressCommand, Answer
from aftercart.actions.mail.notify_customer import notify_address
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.actions.recognize_replay import (
    checking_later,
    create_idempotency_record,
    once_more_if_raced,
    recognize_replay,
    record_answer,
    replay,
)
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import AddressChange
from aftercart.cancellations.policy.selectors import get_kept_book, get_policy
from aftercart.cancellations.selectors import find_open_items
from aftercart.cancellations.states import claim_change
from aftercart.lib.clock import get_now
from aftercart.lib.failpoints import failpoint
from aftercart.lib.notes import keep_sentence, write_note
from aftercart.lib.outages import despite_outages
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError, Refused
from aftercart.oms.messages import AddressChange as AddressMessage
from aftercart.oms.messages import RemoteAddress, RemoteOrder
from aftercart.oms.port import OmsClient
from aftercart.orders.address_rules import judge_address_change, judge_country, may_still_change
from aftercart.orders.errors import AddressChangeRefused, InputInvalid, OrderNotFound, say_unknown
from aftercart.orders.models import IdempotencyRecord, Order
from aftercart.orders.policy.clauses import Policy
from aftercart.orders.selectors import lock_order, owned_by, read_country, save_order
from aftercart.orders.timeline import WORKER, Actor, record_event

_State = AddressChange.State
#: What the contract says of a change that the OMS has not heard of yet.
_PENDING = Answer(202, {"status_code": None, "state": "pending"})


def change_address(command: AddressCommand, client: OmsClient) -> Answer:
    """Change the address: 200 when the OMS took it, 202 when it will be told later.

    Raises `InputInvalid`, `AddressChangeRefused` (by our rules or by the OMS), `StillRunning`, `KeyReused`; and
    `BeingChecked` where the database went away in between.
    """
    prepared = _prepare(command)
    if isinstance(prepared, Answer):
        return prepared
    change = AddressChange.objects.select_related("order", "idempotency_record").get(pk=prepared)
    with checking_later(change.idempotency_record_id):
        return _send_at_once(change, client, Actor.customer(command.caller.user))


def _send_at_once(change: AddressChange, client: OmsClient, actor: Actor) -> Answer:
    """Send the OMS a change while its customer waits, and return the answer. Raises `AddressChangeRefused`."""
    try:
        status_code = _send(change, client)
    except Refused as error:
        refused = partial(_end, change.pk, _State.REFUSED, actor, cause=error.detail)
        if not despite_outages(refused):
            return _answer_ended(change)
        raise AddressChangeRefused(error.detail, "omnitron_refused") from error
    except (NotSent, AnswerUnknown) as error:
        return despite_outages(partial(postpone_change, change, error.note))
    failpoint("address.sent")
    if not despite_outages(partial(_end, change.pk, _State.CONFIRMED, actor, status_code=status_code)):
        return _answer_ended(change)
    return Answer(200, {"status_code": status_code})


def _answer_ended(change: AddressChange) -> Answer:
    """Return the answer recorded for a change that was ended meanwhile: a repeat gets the same."""
    idempotency_record = IdempotencyRecord.objects.filter(
        pk=change.idempotency_record_id or 0, status_code__isnull=False
    ).first()
    if idempotency_record is not None:
        return replay(idempotency_record)
    change.refresh_from_db(fields=["state", "cause"])
    if change.state == _State.REFUSED:  # by an earlier try of ours, whose commit was not confirmed
        raise AddressChangeRefused(change.cause, "omnitron_refused")
    return _PENDING


def deliver_address(change_pk: int, client: OmsClient) -> None:
    """Send the OMS a change that it does not have yet, while the order may still change; else end it."""
    change = AddressChange.objects.select_related("order", "idempotency_record").get(pk=change_pk)
    if change.state != _State.PENDING:
        return
    policy = get_policy(change.order, get_kept_book(change.policy_version_id))
    if not may_still_change(change.order.status, policy):
        _end_too_late(change, client, write_note("order_has_left"))
        return
    try:
        status_code = _send(change, client)
    except Refused as error:
        _end_too_late(change, client, error.note)
    except (NotSent, AnswerUnknown) as error:
        postpone_change(change, error.note)
    else:
        _end(change_pk, _State.CONFIRMED, WORKER, status_code=status_code)


def _end_too_late(change: AddressChange, client: OmsClient, cause: str) -> None:
    """End a change that cannot be made now, unless an earlier try, unanswered, has been taken all the same."""
    order = change.order
    try:
        with client.dialogue() as dialogue:
            remote = dialogue.read_order(channel_id=order.channel_id, number=order.number)
    except OmsError as error:
        postpone_change(change, error.note)
        return
    if not confirm_found(change, remote):
        _end(change.pk, _State.TOO_LATE, WORKER, cause=cause)


def confirm_found(change: AddressChange, remote: RemoteOrder) -> bool:
    """End a pending change as confirmed if the OMS sends the order there already; return whether it does."""
    if remote.shipping_address_pk != change.address["pk"]:
        return False
    return _end(change.pk, _State.CONFIRMED, WORKER, cause=Cause.FOUND_APPLIED, status_code=200)


@once_more_if_raced
def _prepare(command: AddressCommand) -> int | Answer:
    user = command.caller.user
    with transaction.atomic(durable=True):
        try:
            order = lock_order(pk=command.order, **owned_by(command.caller.owner))
        except OrderNotFound:
            raise InputInvalid({"order": [say_unknown(command.order)]}) from None
        idempotency_record = recognize_replay(command.caller)
        if idempotency_record is not None and (command.caller.key or _is_newest(idempotency_record, order)):
            return replay(idempotency_record)
        try:
            address = get_address(command.address, command.caller)
        except AddressUnknown:
            raise InputInvalid({"address": [say_unknown(str(command.address))]}) from None
        if command.channel_id not in {None, order.channel_id}:
            raise InputInvalid({"channel_id": [_("The order belongs to another sales channel.")]})
        version_pk = keep_policy(_check_rules(order, address).book)
        _supersede(order)
        change = AddressChange.objects.create(
            order=order,
            user=user,
            address=address_document(address),
            policy_version_id=version_pk,
            idempotency_record=create_idempotency_record(command.caller),
        )
        data = {"change": change.pk, "address": address.pk, "policy": version_pk}
        record_event(order, "address_change_submitted", Actor.customer(user), data=data)
        save_order(order)
        return change.pk


def _supersede(order: Order) -> None:
    """End the change that is pending, for a newer one; whoever repeats it is told that it was recorded.

    One that had been confirmed, and is only told once more, stays so: the newer one may be refused.
    """
    for older in order.address_changes.filter(state=_State.PENDING).select_related("idempotency_record"):
        this = AddressChange.objects.filter(pk=older.pk)
        if older.settled_at is None:
            record_answer(older.idempotency_record, _PENDING)
            claim_change(this, _State.SUPERSEDED, settled_at=get_now())
        else:
            claim_change(this, _State.CONFIRMED)
            _compare_later(order)


def _is_newest(idempotency_record: IdempotencyRecord, order: Order) -> bool:
    """Return whether nothing was changed since: "back to the first address" repeats nothing."""
    newest = order.address_changes.first()
    return newest is not None and newest.idempotency_record_id == idempotency_record.pk


def _check_rules(order: Order, address: Address) -> Policy:
    """Judge the change, and give the policy that allows it."""
    policy = get_policy(order)
    refusal = judge_address_change(
        status=order.status,
        item_statuses=set(order.items.values_list("status", flat=True)),
        is_cancelling=bool(find_open_items([order.pk])),
        is_store_pickup=order.is_store_pickup,
        policy=policy,
    ) or judge_country(
        read_country(order.shipping_address), address.country.code, policy=policy, status=order.status
    )
    if refusal is not None:
        raise AddressChangeRefused(refusal.message, refusal.code)
    return policy


def _send(change: AddressChange, client: OmsClient) -> int:
    order, names = change.order, [field.name for field in fields(RemoteAddress)]
    address = RemoteAddress(**{name: _get_value(change.address[name]) for name in names})
    message = AddressMessage(channel_id=order.channel_id, order_id=order.pk, address=address)
    failpoint("address.sending")
    with client.dialogue() as dialogue:
        return dialogue.change_address(body=message, guard=lambda: _is_pending(change.pk))


def _is_pending(change_pk: int) -> bool:
    """Look once more, right before a change leaves: no newer one has taken its place meanwhile."""
    return AddressChange.objects.filter(pk=change_pk, state=_State.PENDING).exists()


def _get_value(value: Any) -> Any:
    """Return what the OMS takes of a part of an address: of a place or a store its id."""
    return value["pk"] if isinstance(value, dict) else value


def postpone_change(change: AddressChange, detail: str) -> Answer:
    """Leave a change for the worker, and tell the caller that it is recorded."""
    with transaction.atomic(durable=True):
        order = lock_order(pk=change.order_id)  # a newer change writes the same rows, the other way round
        pending = AddressChange.objects.filter(pk=change.pk, state=_State.PENDING)
        if pending.update(attempts=change.attempts + 1, cause=detail):
            record_answer(change.idempotency_record, _PENDING)
            jobs.enqueue_again(jobs.DELIVER_ADDRESS, change.pk, change.attempts)
        else:  # it has ended meanwhile, and may come through after a newer one
            _compare_later(order)
    return _PENDING


def _compare_later(order: Order) -> None:
    """Have it seen where the OMS sends a locked order, once nothing is on its way any more."""
    order.address_due_at = get_now() + settings.VERIFY_GRACE
    order.save(update_fields=["address_due_at"])


@transaction.atomic(durable=True)
def _end(
    change_pk: int,
    state: AddressChange.State,
    actor: Actor,
    *,
    cause: str = "",
    status_code: int | None = None,
) -> bool:
    """End a pending change, and return whether it was pending.

    One that has ended meanwhile stays as it is: a newer one came, or another process.
    """
    change = AddressChange.objects.select_related("idempotency_record").get(pk=change_pk)
    order = lock_order(pk=change.order_id)
    this = AddressChange.objects.filter(pk=change_pk)
    count = claim_change(this, state, status_code=status_code, cause=cause, settled_at=get_now())
    unanswered = Q(attempts__gt=0) | Q(state=_State.SUPERSEDED)
    if actor is WORKER or not count or order.address_changes.filter(unanswered).exists():
        # One whose answer was lost, or that two have told, may come through after a newer one.
        _compare_later(order)
    if not count:
        return False
    if state is _State.REFUSED and change.idempotency_record is not None:
        change.idempotency_record.delete()  # a refusal is not remembered: the next try is judged anew
    elif state is _State.CONFIRMED:
        record_answer(change.idempotency_record, Answer(200, {"status_code": status_code}))
        order.shipping_address = change.address
    else:
        message = keep_sentence(cause) or _("The order has shipped in the meantime.")
        refused = AddressChangeRefused(message, "too_late")
        record_answer(change.idempotency_record, Answer(refused.status, refused.body()))
    data = {"change": change_pk, "status_code": status_code}
    record_event(order, f"address_change_{state.value}", actor, cause=cause, data=data)
    change.state = state
    notify_address(order, change)
    save_order(order, "shipping_address")
    return True
