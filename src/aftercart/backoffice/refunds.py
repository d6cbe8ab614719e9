"""What was quoted, for the pages of requests and submissions: what the customer was told, and what is booked."""

from decimal import Decimal

from django.utils.translation import gettext as _

from aftercart.backoffice.sheets import Fact, Panel, keep_filled
from aftercart.backoffice.words import say_amount, say_moment
from aftercart.cancellations.models import RefundQuote, RefundQuoteLine, Submission, SubmissionLine


def describe_line_quote(line: SubmissionLine) -> list[Panel]:
    """Return what a line was quoted, and what with it for the order as a whole (one query)."""
    quoted = RefundQuoteLine.objects.filter(line=line).select_related("quote__submission").first()
    if quoted is None:
        return []
    currency = line.order_item.price_currency
    amounts = (
        (_("Price of these units"), quoted.item_amount),
        (_("Less their discount"), quoted.discount_share),
        (_("Interest refunded"), quoted.interest_share),
        (_("Tax included"), quoted.tax_included),
        (_("Fee kept"), quoted.fee_amount),
    )
    points = (
        (_("Of which spent points returned"), quoted.points_returned),
        (_("Of which points instead of money"), quoted.points_credited),
        (_("Earned points taken back"), quoted.points_clawed_back),
    )
    refund = say_amount(quoted.refund_amount - quoted.fee_amount, currency)
    facts = [
        *_say_amounts(amounts, currency),
        Fact(_("Refund quoted"), refund),
        *_describe_outcome(quoted, currency),
        *_say_amounts(points, currency),
        *_describe_whole(quoted.quote, currency),
    ]
    return [Panel(_("Refund"), keep_filled(facts))]


def _describe_outcome(quoted: RefundQuoteLine, currency: str) -> list[Fact]:
    """Return whether it was paid, and what the OMS reports, zero included."""
    facts = [] if quoted.is_paid else [Fact(_("Paid"), _("Nothing was paid"))]
    if quoted.reported_amount is not None:
        facts.append(Fact(_("Reported by Omnitron"), say_amount(quoted.reported_amount, currency)))
    return facts


def describe_submission_quote(submission: Submission, currency: str) -> list[Panel]:
    """Return what a submission was quoted (one query)."""
    quote = RefundQuote.objects.filter(submission=submission).select_related("submission").first()
    return [Panel(_("Refund"), keep_filled(_describe_whole(quote, currency)))] if quote else []


def _describe_whole(quote: RefundQuote, currency: str) -> list[Fact]:
    amounts = (
        (_("Shipping refunded with the last item"), quote.shipping_refund_amount),
        (_("Gift box refunded with the last item"), quote.gift_box_refund_amount),
        (_("Total fees kept"), quote.fee_amount),
    )
    seen = _("Yes, and it is binding") if quote.is_binding else _("No")
    return [
        *_say_amounts(amounts, currency),
        Fact(_("Quoted for the whole submission"), say_amount(quote.total_amount, currency)),
        Fact(_("Goes back to"), quote.get_destination_display()),
        *_describe_agreement(quote.submission, currency),
        Fact(_("Shown to the customer"), seen),
        Fact(_("Quoted"), say_moment(quote.created_at)),
    ]


def _describe_agreement(submission: Submission, currency: str) -> list[Fact]:
    """Return to what a customer has expressly agreed who wanted points instead of money."""
    if submission.points_agreed_at is None or submission.points_agreed_amount is None:
        return []
    return [
        Fact(_("Agreed to points instead of money"), say_amount(submission.points_agreed_amount, currency)),
        Fact(_("Agreed at"), say_moment(submission.points_agreed_at)),
        Fact(_("Wording agreed to"), submission.points_agreement),
    ]


def _say_amounts(amounts: tuple[tuple[str, Decimal], ...], currency: str) -> list[Fact]:
    return [Fact(label, say_amount(amount, currency)) for label, amount in amounts if amount]
