"""Codes of guests become one-time codes, which customers log in with too; the table keeps its name."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("orders", "0018_lines_are_known_again"),
    ]

    operations = [
        migrations.AlterModelTable(name="guestcode", table="orders_guestcode"),
        migrations.RenameModel(old_name="GuestCode", new_name="OneTimeCode"),
        migrations.AlterField(
            model_name="onetimecode",
            name="number",
            field=models.CharField(help_text="Empty: to log in.", max_length=64),
        ),
        migrations.AddField(
            model_name="onetimecode",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="login_codes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
