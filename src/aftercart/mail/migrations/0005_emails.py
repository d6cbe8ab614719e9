"""Call a letter an e-mail: the table, its columns, indexes and permissions, and the jobs and setbacks about it."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# Jobs that wait, and failures that are remembered, name the task. Old processes may add a few more until they are
# replaced: the task keeps its old name as an alias.
_RENAME_TASK = """
    UPDATE procrastinate_jobs SET task_name = 'aftercart.{new}', lock = replace(lock, '.{old}:', '.{new}:')
    WHERE task_name = 'aftercart.{old}' AND status = 'todo';
    UPDATE cancellations_setback SET key = replace(replace(key, '.send_{a}:', '.send_{b}:'), '.recover_{a}:', '.recover_{b}:')
    WHERE key LIKE 'aftercart.send_{a}:%' OR key LIKE 'aftercart.recover_{a}:%';
"""


def _rename_task(a: str, b: str) -> str:
    return _RENAME_TASK.format(old=f"send_{a}", new=f"send_{b}", a=a, b=b)


def _rename_permissions(apps: StateApps, a: str, b: str) -> None:
    """Rename the permissions, so that whoever has them keeps them: Django renames the content type alone."""
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="mail")
    for permission in permissions.filter(codename__endswith=f"_{a}"):
        permission.codename = permission.codename.removesuffix(a) + b
        permission.name = permission.name.removesuffix(a) + b
        permission.save(update_fields=["codename", "name"])


def _forwards(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    _rename_permissions(apps, "letter", "email")


def _backwards(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    _rename_permissions(apps, "email", "letter")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("cancellations", "0020_approvals_keep_lines"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("mail", "0004_note_what_was_told"),
        ("procrastinate", "0001_initial"),
    ]

    operations = [
        migrations.RenameModel("Letter", "Email"),
        migrations.RenameField("LineNotice", "letter", "email"),
        migrations.AlterField(
            "Email",
            "order",
            models.ForeignKey(on_delete=models.deletion.CASCADE, related_name="emails", to="orders.order"),
        ),
        migrations.AlterField(
            "LineNotice",
            "email",
            models.ForeignKey(
                null=True, on_delete=models.deletion.SET_NULL, related_name="notices", to="mail.email"
            ),
        ),
        migrations.RenameIndex("Email", "emails_unsettled", "letters_under_way"),
        migrations.RenameIndex("Email", "emails_for_people", "letters_for_people"),
        migrations.RenameIndex("Email", "emails_by_age", "letters_by_age"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("Email", "one_letter_an_event"),
                migrations.AddConstraint(
                    "Email",
                    models.UniqueConstraint(
                        fields=["kind", "subject", "recipient"], name="one_email_an_event"
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE mail_email RENAME CONSTRAINT one_letter_an_event TO one_email_an_event",
                    "ALTER TABLE mail_email RENAME CONSTRAINT one_email_an_event TO one_letter_an_event",
                )
            ],
        ),
        migrations.RunPython(_forwards, _backwards),
        migrations.RunSQL(_rename_task("letter", "email"), _rename_task("email", "letter")),
    ]
