from importlib import import_module

from django.db import migrations, models

first = import_module("aftercart.cancellations.migrations.0021_revisions_move")
then = import_module("aftercart.cancellations.migrations.0027_refunds_are_shown")


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0037_requests_without_deliveries'),
    ]

    operations = [
        migrations.AddField(
            model_name='refundquote',
            name='is_rest_reported',
            field=models.BooleanField(db_default=False, default=False, help_text='Omnitron reports that something of it was given back.'),
        ),
        *then.watch_more(
            "cancellations_refundquote", (*first.QUOTE, *then.QUOTE), ("is_rest_reported",), first.OF_SUBMISSION
        ),
    ]
