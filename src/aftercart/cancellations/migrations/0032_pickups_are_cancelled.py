from importlib import import_module

from django.db import migrations, models

before = import_module("aftercart.cancellations.migrations.0021_revisions_move")
refunds = import_module("aftercart.cancellations.migrations.0027_refunds_are_shown")


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0031_exchange_preference'),
    ]

    operations = [
        migrations.AddField(
            model_name='submissionline',
            name='is_pickup_cancelled',
            field=models.BooleanField(db_default=False, default=False, help_text='The customer wants no pickup until another time is chosen.'),
        ),
        *refunds.watch_more(
            "cancellations_submissionline",
            (*before.LINE, *refunds.LINE, "exchange_preference"),
            ("is_pickup_cancelled",),
            before.OF_ITEM,
        ),
    ]
