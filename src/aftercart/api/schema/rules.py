"""The rules of contract section 3.3 as the document tells them: the fixed ones, and the policy's topics."""

from dataclasses import dataclass
from typing import Final, Literal

from django.utils import translation

from aftercart.orders.policy.topics import ITEM_TOPICS, Rule, Topic


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One thing that a rule can say of an item."""

    number: int
    code: str
    condition: str
    message: str
    effect: Literal["refuse", "review"]


def _write_line(topic: Topic, rule: Rule) -> RuleLine:
    declared = topic.declared
    with translation.override("en"):
        message = str(declared.sentence)
    # What is worth a sentence for staff is reviewed, unless a shop says otherwise.
    return RuleLine(
        rule, declared.code, declared.condition, message, "review" if declared.reason else "refuse"
    )


RULES: Final = (
    RuleLine(1, "already_cancelled", "Nothing is left of the item.", "Order already cancelled!", "refuse"),
    RuleLine(
        2,
        "cancellation_in_progress",
        "A cancellation of it, as a request or on its way to Omnitron, is not decided yet.",
        "Order cancellation already in progress.",
        "refuse",
    ),
    *(_write_line(topic, rule) for topic, rule in ITEM_TOPICS.items()),
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
