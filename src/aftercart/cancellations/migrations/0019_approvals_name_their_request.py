"""An approval names the request that it takes to Omnitron."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0018_spare_requests")]

    operations = [
        migrations.AddField(
            model_name="submission",
            name="approved_request",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="approvals",
                to="cancellations.cancellationrequest",
            ),
        ),
    ]
