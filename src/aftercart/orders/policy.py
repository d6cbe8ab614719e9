"""The shop's policy. One for all channels, from the settings, until it becomes a table."""

from django.conf import settings

from aftercart.orders.rules import Policy


def get_policy(channel_id: int) -> Policy:  # noqa: ARG001 - every caller already knows its channel
    """Give the policy of a channel."""
    return Policy(
        cancel_statuses=settings.CANCEL_STATUSES,
        refund_statuses=settings.REFUND_STATUSES,
        invoice_needs_review=settings.INVOICE_NEEDS_REVIEW,
        direct_window=settings.DIRECT_CANCEL_WINDOW,
        return_window=settings.RETURN_WINDOW,
        review_above_amount=settings.REVIEW_ABOVE_AMOUNT,
        review_types=settings.REVIEW_TYPES,
    )
