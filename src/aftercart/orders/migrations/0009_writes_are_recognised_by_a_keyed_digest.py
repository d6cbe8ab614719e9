from django.db import migrations, models
from django.db.models.functions import Now

from aftercart.lib.fingerprints import list_keyed


def key_digests(apps, schema_editor):
    """Key what was a plain digest, so that it can no longer be guessed, and a repeat is still recognised."""
    records = apps.get_model("orders", "IdempotencyRecord").objects
    for record in records.only("fingerprint").iterator():
        record.fingerprint = list_keyed(record.fingerprint)[0]
        record.save(update_fields=["fingerprint"])


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0008_plausible_times'),
    ]

    operations = [
        migrations.AlterField(
            model_name='idempotencyrecord',
            name='created_at',
            field=models.DateTimeField(db_default=Now()),
        ),
        migrations.RunPython(key_digests, migrations.RunPython.noop, elidable=True),
    ]
