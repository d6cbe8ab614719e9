from importlib import import_module

from django.db import migrations

from aftercart.orders.revisions import revise_orders

before = import_module("aftercart.cancellations.migrations.0021_revisions_move")

#: What an order's refunds show of each table, besides what was watched before.
LINE = ("closed_at",)
REQUEST = ("decided_by_id",)
QUOTE = ("destination", "rest_points_returned", "is_rest_for_last")
QUOTE_LINE = ("item_amount", "discount_share", "interest_share")


def watch_more(table: str, columns: tuple[str, ...], more: tuple[str, ...], order: str) -> list[migrations.RunSQL]:
    """Return what has a trigger watch more columns, and undoes it."""
    made, unmade = revise_orders(table, columns, order=order)
    made_now, unmade_now = revise_orders(table, (*columns, *more), order=order)
    return [migrations.RunSQL(unmade, made), migrations.RunSQL(made_now, unmade_now)]


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0025_history_by_age'),
    ]

    operations = [
        *watch_more("cancellations_submissionline", before.LINE, LINE, before.OF_ITEM),
        *watch_more("cancellations_cancellationrequest", ("line_id", "status"), REQUEST, before.OF_LINE),
        *watch_more("cancellations_refundquote", before.QUOTE, QUOTE, before.OF_SUBMISSION),
        *watch_more("cancellations_refundquoteline", before.QUOTE_LINE, QUOTE_LINE, before.OF_LINE),
    ]
