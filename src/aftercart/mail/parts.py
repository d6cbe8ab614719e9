"""Parts that several e-mails have: their products, and what comes back. Pure, in the language that is active."""

from django.utils.translation import gettext as _

from aftercart.lib.formats import format_money
from aftercart.mail.draft import EmailContent, Row
from aftercart.orders.refund_words import name_destination


def list_rows(content: EmailContent) -> tuple[Row, ...]:
    """List the products that an e-mail is about."""
    currency = str(content.facts.get("currency") or "")
    return tuple(
        Row(
            name=str(item["name"]),
            quantity=int(item["quantity"]),
            amount=format_money(item["amount"], currency) if item.get("amount") else "",
            image=str(item.get("image") or ""),
        )
        for item in content.facts.get("items", ())
    )


def list_refund(content: EmailContent, label: str) -> list[tuple[str, str]]:
    """List what comes back, if anything does: how much, the points in it, and where the rest goes."""
    facts = content.facts
    refund, points, rest = (facts.get(name) for name in ("refund", "points", "rest"))
    if not refund:
        return []
    currency = str(facts.get("currency") or "")
    rows = [(label, format_money(refund, currency))]
    if rest:
        rows.append((_("Of which shipping and gift box"), format_money(rest, currency)))
    if points:
        rows.append((_("Of which in points (you paid with points)"), format_money(points, currency)))
    if facts.get("to"):
        to, end, method = (str(facts.get(name) or "") for name in ("to", "account_end", "method"))
        rows.append((_("Refunded to"), name_destination(to, account_end=end, method=method)))
    return rows
