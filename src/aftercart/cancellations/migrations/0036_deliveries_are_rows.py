"""What is brought to the OMS of a request becomes rows of its own: its delivery, and the notice of a rejection.

Indexes, constraints and foreign keys come after the rows, which two statements make. The columns are left to 0037.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


#: Where a request stood of which no row said so; of what an approval had taken out the count named the next round.
_FILL_DELIVERIES = """
INSERT INTO cancellations_delivery (request_id, latest_of_id, round, name, state, attempts, error, pending_name,
    sent_at, remote_pks, known_at, created_at)
SELECT id, id, number, coalesce(nullif(remote_name, ''), replace(uuid::text, '-', ''))
    || CASE WHEN number > 0 THEN 'r' || number ELSE '' END,
    state, delivery_attempts, delivery_error, CASE state WHEN 'sent' THEN pending_create_id ELSE '' END,
    pending_create_at, remote_pks, delivered_at, created_date
FROM (
    SELECT request.*, CASE
        WHEN delivered_at IS NOT NULL THEN 'known'
        WHEN is_withdrawn OR (status = 'rejected' AND rejection_sent_at IS NOT NULL AND pending_create_id = '')
            THEN 'withdrawn'
        WHEN is_undeliverable THEN 'failed'
        WHEN pending_create_id <> '' THEN 'sent'
        ELSE 'created' END AS state,
        requeue_count - is_withdrawn::int AS number
    FROM (
        SELECT *, delivered_at IS NULL AND requeue_count > 0 AND delivery_attempts = 0 AND pending_create_id = ''
            AND NOT is_undeliverable AND (status IN ('verifying', 'confirmed', 'completed')
                OR status = 'approved' AND decided_by_id IS NOT NULL AND EXISTS (
                    SELECT FROM cancellations_submission approval WHERE approval.approved_request_id = all_of_them.id
                        AND approval.state IN ('prepared', 'sent', 'unknown'))) AS is_withdrawn
        FROM cancellations_cancellationrequest all_of_them
    ) request
) request
WHERE delivered_at IS NOT NULL OR requeue_count > 0 OR delivery_attempts > 0 OR pending_create_id <> ''
    OR is_undeliverable OR remote_pks <> '{}' OR status = 'waiting'
    OR status IN ('approved', 'rejected') AND decided_by_id IS NOT NULL
"""
_EMPTY_DELIVERIES = """
UPDATE cancellations_cancellationrequest request SET
    requeue_count = round + (state = 'withdrawn' AND status <> 'rejected')::int, remote_pks = delivery.remote_pks,
    remote_name = CASE WHEN name LIKE replace(uuid::text, '-', '') || '%' THEN '' ELSE name END,
    delivery_attempts = CASE state WHEN 'withdrawn' THEN 0 ELSE attempts END, delivery_error = error,
    pending_create_id = pending_name, pending_create_at = sent_at, is_undeliverable = state = 'failed',
    delivered_at = CASE state WHEN 'known' THEN known_at END
FROM cancellations_delivery delivery WHERE latest_of_id = request.id
"""
_FILL_NOTICES = """
INSERT INTO cancellations_decisionnotice (request_id, state, attempts, error, known_at)
SELECT id, CASE WHEN rejection_sent_at IS NULL THEN 'due' ELSE 'known' END,
    CASE WHEN rejection_sent_at IS NULL THEN delivery_attempts ELSE 0 END,
    CASE WHEN rejection_sent_at IS NULL THEN delivery_error ELSE '' END, rejection_sent_at
FROM cancellations_cancellationrequest
WHERE rejection_sent_at IS NOT NULL OR status = 'rejected' AND (decided_by_id IS NOT NULL OR cause = 'taken_back')
"""
_EMPTY_NOTICES = """
UPDATE cancellations_cancellationrequest request SET rejection_sent_at = notice.known_at
FROM cancellations_decisionnotice notice WHERE notice.request_id = request.id AND notice.state = 'known'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0035_rests_are_found_by_age'),
    ]

    operations = [
        migrations.CreateModel(
            name='DecisionNotice',
            fields=[
                ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notice', serialize=False, to='cancellations.cancellationrequest')),
                ('state', models.CharField(choices=[('due', 'Due'), ('known', 'Known')], default='due', max_length=5)),
                ('attempts', models.IntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('known_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='cancellations.cancellationrequest')),
                ('latest_of', models.OneToOneField(help_text='Its request, while it is the latest round.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='delivery', to='cancellations.cancellationrequest')),
                ('round', models.IntegerField(default=0)),
                ('name', models.CharField(help_text='Its name at Omnitron; further items get a number behind it.', max_length=64)),
                ('state', models.CharField(choices=[('created', 'Created'), ('sent', 'Sent'), ('known', 'Known'), ('withdrawn', 'Withdrawn'), ('failed', 'Failed')], default='created', max_length=9)),
                ('attempts', models.IntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('pending_name', models.CharField(blank=True, help_text='What was sent last, while the answer is not known.', max_length=80)),
                ('sent_at', models.DateTimeField(null=True)),
                ('remote_pks', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                ('known_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.RunSQL(_FILL_DELIVERIES, _EMPTY_DELIVERIES),
        migrations.RunSQL(_FILL_NOTICES, _EMPTY_NOTICES),
        migrations.AddIndex(
            model_name='decisionnotice',
            index=models.Index(condition=models.Q(('state', 'due')), fields=['request'], name='decisions_to_report'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ['created', 'sent'])), fields=['latest_of'], name='deliveries_to_make'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['latest_of'], name='deliveries_failed'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=django.contrib.postgres.indexes.GinIndex(fields=['remote_pks'], name='deliveries_by_remote_id'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('request', 'round'), name='one_delivery_a_round'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('latest_of__isnull', False), ('state', 'withdrawn'), _connector='OR'), name='a_round_ends_before_the_next'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent'), models.Q(('pending_name', ''), _negated=True)), models.Q(models.Q(('state', 'sent'), _negated=True), ('pending_name', '')), _connector='OR'), name='what_is_sent_has_its_name'),
        ),
    ]
