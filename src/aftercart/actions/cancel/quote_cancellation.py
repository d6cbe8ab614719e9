"""Quote what would come back if items were cancelled or returned now (contract section 3.6). Writes nothing."""

from aftercart.actions.cancel.decide_cancellation import decide_cancellation
from aftercart.actions.cancel.price_lines import QuoteAnswer
from aftercart.actions.cancel.read_case import read_case
from aftercart.actions.commands import CancellationCommand
from aftercart.orders.selectors import get_order


def quote_cancellation(command: CancellationCommand) -> QuoteAnswer:
    """Quote a submission, without making it. What the rules refuse stands in its line, not in an error.

    Raises `OrderNotFound`, `InputInvalid`. The order is read first, so a quote of what changes meanwhile bears
    an older version, and is stale when it is brought back.
    """
    order = get_order(command.caller.owner, number=command.number)
    return decide_cancellation(read_case(order, command), command).priced
