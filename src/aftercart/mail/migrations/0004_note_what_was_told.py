"""Note of which lines customers have been notified already."""

from django.db import migrations

# Until now a submission was told of once nothing of it was open any more.
_NOTE_WHAT_WAS_TOLD = """
    INSERT INTO mail_linenotice (line_id, outcome)
    SELECT line.id, 'completed' FROM cancellations_submissionline AS line
    WHERE line.outcome = 'completed' AND NOT EXISTS (
        SELECT 1 FROM cancellations_submissionline AS other
        WHERE other.submission_id = line.submission_id AND other.is_open
    )
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0003_notices_by_line")]

    operations = [migrations.RunSQL(_NOTE_WHAT_WAS_TOLD, migrations.RunSQL.noop)]
