"""The rules of contract section 3.3 as the document tells them; tests hold this table against the code."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One thing that a rule can say of an item."""

    number: int
    code: str
    condition: str
    message: str
    effect: Literal["refuse", "review"]


RULES: Final = (
    RuleLine(1, "already_cancelled", "Nothing is left of the item.", "Order already cancelled!", "refuse"),
    RuleLine(
        2,
        "cancellation_in_progress",
        "A cancellation of it, as a request or on its way to Omnitron, is not decided yet.",
        "Order cancellation already in progress.",
        "refuse",
    ),
    RuleLine(
        3,
        "status_not_allowed",
        "Its status does not allow this type: `cancel` is for 200–450, `refund` for 500–550, unless the shop "
        "decides otherwise.",
        "Order can't be cancelled in this status.",
        "refuse",
    ),
    RuleLine(
        4,
        "has_invoice",
        "It has an invoice and is to be cancelled, where the shop has that checked.",
        "This item has been invoiced already, so our team checks it first.",
        "review",
    ),
    RuleLine(
        5,
        "direct_window_passed",
        "The shop's time limit for cancelling directly is over.",
        "The time for an immediate cancellation is over, so our team checks it first.",
        "review",
    ),
    RuleLine(
        6,
        "return_window_closed",
        "It is to be returned, and the return window has closed.",
        "The time for returning this item is over.",
        "refuse",
    ),
    RuleLine(
        6,
        "final_sale",
        "It is to be returned, and was a final sale.",
        "This item is a final sale and can't be returned.",
        "refuse",
    ),
    RuleLine(
        7,
        "type_needs_approval",
        "The shop wants to approve every request of this type.",
        "Our team checks every request of this kind.",
        "review",
    ),
    RuleLine(
        7,
        "amount_needs_approval",
        "All items together are worth more than the shop lets go unseen.",
        "Our team checks requests of this amount.",
        "review",
    ),
    RuleLine(
        8,
        "mixed_types",
        "`cancel` and `refund` stand in one submission.",
        "Your request both cancels and returns items, so our team handles it.",
        "review",
    ),
    RuleLine(
        8,
        "partial_line",
        "Fewer units than are left of the line are to be cancelled.",
        "You are keeping some units of this item, so our team handles the others.",
        "review",
    ),
    RuleLine(
        10,
        "points_need_payment",
        "It is wanted as loyalty points, and nothing was paid for any of the items.",
        "Nothing was paid, so it can't be refunded as points.",
        "refuse",
    ),
)
#: The second request for an item, where only requests are made (contract section 5).
SECOND_REQUEST: Final = "cancellation_request_100_1"
REFUSALS: Final = {line.code: line.condition for line in RULES if line.effect == "refuse"}


def write_rules() -> str:
    """Write the rules as a Markdown table."""
    lines = ["| rule | code | when | message | effect |", "|---|---|---|---|---|"]
    lines += [
        f"| {line.number} | `{line.code}` | {line.condition} | {line.message} | {line.effect} |"
        for line in RULES
    ]
    return "\n".join(lines)
