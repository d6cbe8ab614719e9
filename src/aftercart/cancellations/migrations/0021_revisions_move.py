from django.db import migrations

from aftercart.orders.revisions import revise_all, revise_orders

OF_ITEM = "(SELECT order_id FROM orders_orderitem WHERE id = {row}.order_item_id)"
OF_LINE = """(SELECT item.order_id FROM cancellations_submissionline line
    JOIN orders_orderitem item ON item.id = line.order_item_id WHERE line.id = {row}.line_id)"""
OF_SUBMISSION = "(SELECT order_id FROM cancellations_submission WHERE id = {row}.submission_id)"

LINE = (
    "submission_id", "order_item_id", "reason_id", "cancellation_type", "quantity", "completed_quantity",
    "description", "iban", "shipping_company_id", "pickup_address", "pickup_date", "easy_return_code",
    "easy_return_valid_until", "is_open", "outcome",
)  # fmt: skip
QUOTE = (
    "submission_id", "shipping_refund_amount", "gift_box_refund_amount", "rest_booked_at", "rest_booked_amount",
    "total_amount",
)  # fmt: skip
QUOTE_LINE = (
    "quote_id", "line_id", "refund_amount", "fee_amount", "points_returned", "points_credited", "booked_amount",
    "reported_amount", "is_paid",
)  # fmt: skip
WITHDRAWAL = ("uuid", "order_id", "submitted_at", "state", "reason")

# Drafts, and the default that something was judged by, decide nothing.
POLICY = """
CREATE CONSTRAINT TRIGGER cancellations_policyversion_revise_shared
    AFTER INSERT OR UPDATE ON cancellations_policyversion DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'published' AND NOT NEW.is_default) EXECUTE FUNCTION orders_revise_shared();
"""
NO_POLICY = "DROP TRIGGER cancellations_policyversion_revise_shared ON cancellations_policyversion;"


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0020_approvals_keep_lines'),
        ('orders', '0011_revisions_move'),
    ]

    operations = [
        migrations.RunSQL(*revise_orders("cancellations_submission", ("uuid", "order_id", "state"))),
        migrations.RunSQL(*revise_orders("cancellations_submissionline", LINE, order=OF_ITEM)),
        migrations.RunSQL(
            *revise_orders("cancellations_cancellationrequest", ("line_id", "status"), order=OF_LINE)
        ),
        migrations.RunSQL(*revise_orders("cancellations_refundquote", QUOTE, order=OF_SUBMISSION)),
        migrations.RunSQL(*revise_orders("cancellations_refundquoteline", QUOTE_LINE, order=OF_LINE)),
        migrations.RunSQL(*revise_orders("cancellations_withdrawal", WITHDRAWAL)),
        migrations.RunSQL(
            *revise_orders("cancellations_withdrawalline", ("order_item_id", "is_standing"), order=OF_ITEM)
        ),
        migrations.RunSQL(
            *revise_all("cancellations_easyreturncompany", ("name", "value", "channel_id", "is_active"))
        ),
        migrations.RunSQL(*revise_all("cancellations_returninstructions")),
        migrations.RunSQL(*revise_all("cancellations_withdrawalpolicy")),
        migrations.RunSQL(POLICY, NO_POLICY),
    ]
