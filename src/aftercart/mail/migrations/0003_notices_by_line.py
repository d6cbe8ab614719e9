"""Which outcome of which line a customer has been notified of."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0020_approvals_keep_lines'),
        ('mail', '0001_outbox'),
    ]

    operations = [
        migrations.AlterField(
            model_name='letter',
            name='kind',
            field=models.CharField(choices=[('order_link', 'Link to an order'), ('order_link_reminder', "Reminder of an order's link"), ('guest_code', 'One-time code'), ('cancellation_sent', 'Cancellation sent'), ('cancellation_confirmed', 'Cancellation confirmed'), ('cancellation_late', 'Cancellation after all'), ('cancellation_completed', 'Cancellation completed'), ('request_received', 'Request received'), ('request_approved', 'Request approved'), ('request_rejected', 'Request rejected'), ('address_changed', 'Address changed'), ('address_too_late', 'Too late to change the address'), ('approval_bounced', 'Approval not taken by Omnitron (to staff)'), ('withdrawal_receipt', 'Receipt of a withdrawal'), ('withdrawal_accepted', 'Withdrawal accepted'), ('withdrawal_refused', 'Withdrawal refused')], max_length=24),
        ),
        migrations.CreateModel(
            name='LineNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(max_length=10)),
                ('letter', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='notices', to='mail.letter')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='cancellations.submissionline')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('line', 'outcome'), name='one_notice_an_outcome')],
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
            },
        ),
    ]
