"""Record a statement of withdrawal that somebody makes without a log-in, and acknowledge it (docs/withdrawal.md).

No order is looked for: what is done, and how long it takes, is the same whether there is one or not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from aftercart.accounts.models.rate_limits import count_try
from aftercart.actions.account.limit_tries import limit_client
from aftercart.actions.mail.notify_customer import post_orderless
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.lib.clock import get_now
from aftercart.lib.emails import fold_email
from aftercart.lib.fingerprints import list_fingerprints
from aftercart.lib.locks import lock_purpose
from aftercart.lib.times import format_time
from aftercart.mail.models import Email

#: What nobody shall have us send to strangers: a link, or what a mail program makes one of; no e-mail address.
_LINK: Final = re.compile(
    r"://|\bwww\.|(?<![@\w.-])[\w-]+(?:\.[\w-]+)*"
    r"\.(?:[a-z]{2,24}/|(?:com|net|org|info|biz|xyz|top|link|click|site|online|shop)\b)",
    re.IGNORECASE,
)
#: What is typed once more in this time is the same statement.
SAME: Final = timedelta(minutes=10)
CLIENT_WINDOW: Final = timedelta(minutes=10)
#: How many acknowledgements one address may get in which time: nobody shall have us write to strangers.
RECIPIENT_BUDGET: Final = ((timedelta(hours=1), 3), (timedelta(days=1), 5))


@dataclass(frozen=True, slots=True)
class StatementCommand:
    """What was typed, in which language, and the network address that it came from."""

    name: str
    number: str
    email: str
    items: str
    language: str
    client: str

    @property
    def fingerprints(self) -> list[str]:
        """Keyed digests of what was typed, the newest secret's first."""
        typed = {"name": self.name, "number": self.number, "email": self.email, "items": self.items}
        return list(list_fingerprints("/withdraw/", urlencode(typed, errors="surrogatepass")))


def find_links(typed: Mapping[str, Any]) -> dict[str, str]:
    """Find the fields that hold a link, each with what to say: nobody shall have us send theirs to strangers."""
    refused = _("Please do not include links.")
    return {name: refused for name in ("name", "number", "items") if _LINK.search(typed.get(name, ""))}


def record_statement(command: StatementCommand) -> PublicStatement:
    """Record a statement and write its acknowledgement, once; of a second click, return the first's.

    It is recorded whatever the recipient may still get by e-mail. Raises `TooManyTries`.
    """
    limit_client("statement.client", command.client, CLIENT_WINDOW, settings.GUEST_LOOKUPS_PER_CLIENT)
    fingerprints = command.fingerprints
    with transaction.atomic(durable=True):
        lock_purpose(f"aftercart.public_statement.{fingerprints[0]}")
        now = get_now()
        same = PublicStatement.objects.filter(fingerprint__in=fingerprints, submitted_at__gt=now - SAME)
        if (found := same.order_by("pk").first()) is not None:
            return found
        statement = PublicStatement.objects.create(
            name=command.name,
            number=command.number,
            email=fold_email(command.email),
            items=command.items,
            language=command.language,
            fingerprint=fingerprints[0],
            is_acknowledged=_may_get_another(command.email),
            submitted_at=now,
        )
        if statement.is_acknowledged:
            _acknowledge(statement)
    return statement


def _may_get_another(email: str) -> bool:
    """Count one more acknowledgement to an address; return whether it is within what one may get."""
    counts = [
        (count_try("statement.recipient", fold_email(email), window).count, most)
        for window, most in RECIPIENT_BUDGET
    ]
    return all(count <= most for count, most in counts)


def _acknowledge(statement: PublicStatement) -> None:
    facts = {
        "uuid": str(statement.uuid),
        "name": statement.name,
        "number": statement.number,
        "items": statement.items,
        "submitted_at": format_time(statement.submitted_at),
    }
    post_orderless(
        Email.Kind.WITHDRAWAL_STATED,
        statement.uuid,
        recipient=statement.email,
        language=statement.language,
        secret=f"{settings.PUBLIC_URL}/withdraw/{statement.uuid}/",
        facts=facts,
    )
