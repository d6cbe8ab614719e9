"""Clear the account numbers and holders of cancellations that ended long ago."""

from typing import Final

from django.conf import settings
from django.db import models

from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.clock import get_now

#: How many lines one statement clears.
_BATCH: Final = 1000


def forget_accounts() -> int:
    """Clear the accounts of lines that were closed longer ago than the setting says; tell how many.

    An open line keeps its account, however old it is: somebody may still have to pay to it. A document loses no more
    than the account's last digits, so no order is locked and no version moves.
    """
    count = 0
    while pks := list(_list_due().values_list("pk", flat=True)[:_BATCH]):
        count += SubmissionLine.objects.filter(pk__in=pks, is_open=False).update(iban="", holder_name="")
    return count


def _list_due() -> models.QuerySet[SubmissionLine]:
    due = SubmissionLine.objects.filter(is_open=False, closed_at__lt=get_now() - settings.IBAN_RETENTION)
    return due.exclude(iban="", holder_name="").order_by("closed_at")  # the order of its index
