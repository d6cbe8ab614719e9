from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('cancellations', '0034_refunds_in_points_alone'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='refundquote',
            index=models.Index(condition=models.Q(('shipping_refund_amount__gt', 0), ('gift_box_refund_amount__gt', 0), _connector='OR'), fields=['rest_booked_at'], name='rests_booked'),
        ),
    ]
