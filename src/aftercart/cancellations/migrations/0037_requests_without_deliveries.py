"""Forget the columns that the rows of 0036 stand for.

They stay in the table, with defaults, for web processes of the version before that run until they are replaced; nothing
reads them any more.
"""

from django.db import migrations

_TABLE = "ALTER TABLE cancellations_cancellationrequest"
_DEFAULTS = {
    "remote_pks": "'{}'",
    "delivery_error": "''",
    "is_undeliverable": "false",
    "delivery_attempts": "0",
    "requeue_count": "0",
}
_OTHERS = ("remote_name", "pending_create_id", "pending_create_at", "delivered_at", "rejection_sent_at")


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0036_deliveries_are_rows")]

    operations = [
        migrations.RemoveIndex("CancellationRequest", "requests_to_deliver"),
        migrations.RemoveIndex("CancellationRequest", "rejections_to_report"),
        migrations.RemoveIndex("CancellationRequest", "requests_by_remote_id"),
        *[
            migrations.RunSQL(
                f"{_TABLE} ALTER COLUMN {name} SET DEFAULT {default}", f"{_TABLE} ALTER COLUMN {name} DROP DEFAULT"
            )
            for name, default in _DEFAULTS.items()
        ],
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("CancellationRequest", name) for name in (*_DEFAULTS, *_OTHERS)
            ]
        ),
    ]
