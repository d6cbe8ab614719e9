"""Call a tally a rate limit."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_chosen_language")]

    operations = [
        migrations.RenameModel("Tally", "RateLimit"),
        migrations.AlterModelOptions("RateLimit", {}),
        migrations.RenameIndex("RateLimit", "rate_limits_by_age", "tallies_by_age"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("RateLimit", "one_tally_a_window"),
                migrations.AddConstraint(
                    "RateLimit",
                    models.UniqueConstraint(fields=["key", "window_start"], name="one_count_a_window"),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE accounts_ratelimit RENAME CONSTRAINT one_tally_a_window TO one_count_a_window",
                    "ALTER TABLE accounts_ratelimit RENAME CONSTRAINT one_count_a_window TO one_tally_a_window",
                )
            ],
        ),
    ]
