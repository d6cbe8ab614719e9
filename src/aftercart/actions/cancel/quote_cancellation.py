"""Quote what would come back if items were cancelled or returned now (contract section 3.6). Writes nothing."""

from collections.abc import Sequence

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
    return quote_alternatives([command])[0]


def quote_alternatives(commands: Sequence[CancellationCommand]) -> list[QuoteAnswer]:
    """Quote commands that differ only in where the money goes: of one case, as `quote_cancellation`."""
    first = commands[0]
    case = read_case(get_order(first.caller.owner, number=first.number), first)
    return [decide_cancellation(case, command).priced for command in commands]
