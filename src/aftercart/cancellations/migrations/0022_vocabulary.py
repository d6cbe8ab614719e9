"""Name columns by the glossary (docs/glossary.md); every row keeps its values."""

from django.db import migrations, models

_RENAME_DIFFERENCE = "UPDATE cancellations_difference SET what = '{new}' WHERE what = '{old}'"
_OLD, _NEW = "promised_without_payment", "quoted_without_payment"


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0021_revisions_move")]

    operations = [
        migrations.RenameField("CancellationRequest", "making_id", "pending_create_id"),
        migrations.RenameField("CancellationRequest", "making_at", "pending_create_at"),
        migrations.RenameField("CancellationRequest", "deliveries", "delivery_attempts"),
        migrations.RenameField("CancellationRequest", "delivery_round", "requeue_count"),
        migrations.RenameField("CancellationRequest", "rejection_told_at", "rejection_sent_at"),
        migrations.RenameField("Submission", "repeat", "idempotency_record"),
        migrations.RenameField("AddressChange", "repeat", "idempotency_record"),
        migrations.RenameIndex("Submission", "submissions_unsettled", "submissions_under_way"),
        migrations.AlterField(
            "CancellationRequest",
            "pending_create_id",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The name under which it was last sent to Omnitron's queue, while the answer is not known.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            "CancellationRequest",
            "pending_create_at",
            models.DateTimeField(help_text="When it was sent.", null=True),
        ),
        migrations.AlterField(
            "CancellationRequest",
            "rejection_sent_at",
            models.DateTimeField(help_text="Since when Omnitron has our staff's rejection.", null=True),
        ),
        migrations.RunSQL(
            _RENAME_DIFFERENCE.format(old=_OLD, new=_NEW), _RENAME_DIFFERENCE.format(old=_NEW, new=_OLD)
        ),
    ]
