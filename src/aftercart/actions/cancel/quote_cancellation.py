"""Quote what would come back if items were cancelled or returned now (contract section 3.6). Writes nothing."""

from aftercart.actions.cancel.plan_lines import find_items, find_unchosen, plan_lines
from aftercart.actions.cancel.prepare_submission import judge_lines
from aftercart.actions.cancel.price_lines import QuoteAnswer, price_lines
from aftercart.actions.commands import CancellationCommand
from aftercart.cancellations.policy.selectors import get_policy
from aftercart.orders.selectors import get_order


def quote_cancellation(command: CancellationCommand) -> QuoteAnswer:
    """Quote a submission, without making it. What the rules refuse stands in its line, not in an error.

    Raises `OrderNotFound`, `InputInvalid`. The order is read first, so a quote of what changes meanwhile bears
    an older version, and is stale when it is brought back.
    """
    order = get_order(command.caller.owner, number=command.number)
    items = find_items(order)
    policy = get_policy(order)
    lines = plan_lines(order, items, command, policy)
    findings = (*judge_lines(order, items, lines, policy), *find_unchosen(lines, items, policy))
    return price_lines(order, items, lines, findings, command.caller.quoted_to, policy)
