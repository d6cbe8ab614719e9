"""Forget who approved a request that went back into the queue, or that Omnitron decided: it is not their decision."""

from django.db import migrations, models


def forget_deciders(apps, schema_editor):  # noqa: ARG001
    """Clear `decided_by` where Omnitron has the request again; what an approval has sent has none there."""
    requests = apps.get_model("cancellations", "CancellationRequest").objects
    requests.filter(
        models.Q(status__in=["waiting", "waiting_approval"])
        | models.Q(status="confirmed", delivered_at__isnull=False)
    ).update(decided_by=None)


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0008_requests_being_made")]

    operations = [migrations.RunPython(forget_deciders, migrations.RunPython.noop)]
