from django.db import migrations

from aftercart.orders.revisions import revise_orders


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0002_ledger_is_append_only'),
        ('orders', '0011_revisions_move'),
    ]

    operations = [
        migrations.RunSQL(
            *revise_orders(
                "loyalty_loyaltyentry", ("order_id", "kind", "amount", "reference", "currency", "created_date")
            )
        ),
    ]
