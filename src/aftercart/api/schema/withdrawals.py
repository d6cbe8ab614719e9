"""The operation by which a contract is withdrawn from (ours; docs/withdrawal.md)."""

from drf_spectacular.utils import OpenApiParameter

from aftercart.api.schema import errors
from aftercart.api.schema.operation import (
    KEY,
    operation,
)
from aftercart.api.schema.texts import CANCELLATIONS
from aftercart.api.withdrawal_serializer import StatementSerializer, WithdrawalSerializer
from aftercart.cancellations.withdrawal_document import PublicStatement, Withdrawal
from aftercart.lib.documents import (
    make_document,
    one_of,
    sentences,
)

NothingLeft = make_document(
    "NothingLeftToWithdraw",
    "Nothing is left of what is named: it is cancelled or returned already.",
    {"non_field_errors": sentences("For a person."), "code": one_of(["already_cancelled"])},
)

withdraw_from_contract = operation(
    "withdraw_from_contract",
    tag=CANCELLATIONS,
    summary="Withdraw from a contract",
    description="""\
The withdrawal function of Directive 2011/83/EU, article 11a. Call it when the customer has confirmed: filling in and
confirming are the storefront's two steps, and the second one's button says only "confirm withdrawal".

A statement takes effect by being made. It is therefore recorded, and its receipt is sent, whatever the rules of
`cancel_order_items` say of the goods. What they allow is cancelled at once, like any other cancellation; the rest
is left to the shop's people. The decision is a thing of its own: see `state`.

A repeat gets the first answer again, whatever was decided since: see *Repeats*. A statement about items that one stands
about already is that one again, too: its answer is marked as a repeat, with no second statement and no second receipt.
""",
    request=WithdrawalSerializer,
    parameters=[
        OpenApiParameter("number", str, OpenApiParameter.PATH, description="The order's number."),
        KEY,
    ],
    answers={
        201: (Withdrawal, "The statement. It has been received; that is not yet a decision."),
        400: (
            errors.make_bad_request(
                "WithdrawFromContractBadRequest",
                errors.make_input_error(
                    "WithdrawalInputError", (*WithdrawalSerializer().fields, "Idempotency-Key")
                ),
                NothingLeft,
                errors.Unreadable,
            ),
            "The input makes no sense, or nothing is left to withdraw from.",
        ),
        404: (
            errors.NotFound,
            "There is no such order, it is somebody else's, or the shop offers no withdrawal for it.",
        ),
        409: (
            errors.StillRunning,
            "The statement is recorded, and the database went away while it was carried out: send it again.",
        ),
    },
    has_page=True,
)


state_withdrawal = operation(
    "state_withdrawal",
    tag=CANCELLATIONS,
    summary="State a withdrawal without a log-in",
    description="""\
For a form that anybody can fill in, such as one in the foot of the shop's own pages. The statement is recorded and
acknowledged by e-mail at once. No order is looked for: the answer is the same whether there is one or not. It becomes a
withdrawal, with its own time, when its owner logs in or types a code (`receipt_url`), or when staff match it.

The same body within ten minutes is the same statement, with one receipt. Throttled by the client's network address.
Needs no CSRF token, and gives no session.
""",
    request=StatementSerializer,
    is_open=True,
    answers={
        202: (PublicStatement, "Recorded. Nothing is cancelled yet."),
        400: (
            errors.make_bad_request(
                "StateWithdrawalBadRequest",
                errors.make_input_error("PublicStatementInputError", StatementSerializer().fields),
                errors.Unreadable,
            ),
            "The input makes no sense.",
        ),
        404: (errors.NotFound, "The shop offers no withdrawal, or `format` names an unknown format."),
        429: (errors.Throttled, "Too many statements."),
    },
    has_page=True,
)
