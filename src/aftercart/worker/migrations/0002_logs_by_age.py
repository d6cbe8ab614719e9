from django.db import migrations

# Of tables that are not ours: those of the log-ins, and of what staff changed. Both are deleted by age.
INDEXES = {
    "axes_attempts_by_age": "axes_accessattempt (attempt_time)",
    "axes_logs_by_age": "axes_accesslog (attempt_time)",
    "admin_logs_by_age": "django_admin_log (action_time)",
}


class Migration(migrations.Migration):

    dependencies = [
        ('worker', '0001_leases'),
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('axes', '0010_accessattemptexpiration'),
    ]

    operations = [
        migrations.RunSQL(f"CREATE INDEX {name} ON {where}", f"DROP INDEX {name}")
        for name, where in INDEXES.items()
    ]
