"""Requests are named by their uuid at Omnitron; those that may be there by their id keep it while they are there."""

from typing import Any

from django.db import migrations, models
from django.db.models.functions import Cast


def keep_names(apps: Any, _editor: object) -> None:
    """Keep the names under which Omnitron has been asked to make something."""
    requests = apps.get_model("cancellations", "CancellationRequest").objects
    asked = models.Q(deliveries__gt=0) | models.Q(delivered_at__isnull=False) | ~models.Q(making_id="")
    requests.filter(asked).update(remote_name=Cast("pk", models.CharField()))


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0011_clocks")]

    operations = [
        migrations.AddField(
            model_name="cancellationrequest",
            name="remote_name",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What an earlier version named it at Omnitron; empty: its uuid.",
                max_length=40,
            ),
        ),
        migrations.RunPython(keep_names, migrations.RunPython.noop, elidable=True),
    ]
