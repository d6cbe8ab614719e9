from importlib import import_module

from django.db import migrations, models

before = import_module("aftercart.cancellations.migrations.0021_revisions_move")
refunds = import_module("aftercart.cancellations.migrations.0027_refunds_are_shown")


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0029_points_are_agreed'),
    ]

    operations = [
        migrations.AddField(
            model_name='submissionline',
            name='exchange_preference',
            field=models.CharField(blank=True, db_default='', default='', help_text='Another size or colour that the customer would rather have; nothing is promised.', max_length=200),
        ),
        *refunds.watch_more(
            "cancellations_submissionline", (*before.LINE, *refunds.LINE), ("exchange_preference",), before.OF_ITEM
        ),
    ]
