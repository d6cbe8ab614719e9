"""Do the pieces of a round of work apart from each other, so that none keeps the others from being done."""

import logging
from collections.abc import Callable

from aftercart.cancellations.models.setbacks import record_setback
from aftercart.lib.database import is_connection_lost, is_locked

_logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else does this round's work now."""


#: Called before each piece. Raises `LeaseLost` when the round is somebody else's.
Fence = Callable[[], None]


def stand_alone() -> None:
    """Be the fence of a round that needs none."""


def do_apart(
    work: str,
    pk: int,
    do: Callable[[], object],
    fence: Fence = stand_alone,
    *,
    passing: type[Exception] = LeaseLost,
) -> bool:
    """Do one piece of a round; return whether that went well. Its failure keeps no other from being done.

    What somebody else holds is for the next round. Raises `LeaseLost`, what ends the connection, and `passing`.
    """
    fence()
    try:
        do()
    except (LeaseLost, passing):
        raise
    except Exception as error:
        if is_locked(error):
            return False
        if is_connection_lost(error):
            raise
        failures = record_setback(work, pk, error)
        _logger.exception("%s of %s has failed %s times in a row; others go before it.", work, pk, failures)
        return False
    return True
