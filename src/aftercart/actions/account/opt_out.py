"""Take note that somebody wants no optional e-mails."""

from django.db import transaction

from aftercart.lib.emails import fold_email
from aftercart.mail.models import OptOut


@transaction.atomic(durable=True)
def opt_out(email: str) -> None:
    """Remember an address; one that is remembered stays so."""
    OptOut.objects.get_or_create(email=fold_email(email))
