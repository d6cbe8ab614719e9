"""An approval moves no line any more; the lines that were moved go back to what was asked.

A line is found by what it was quoted; one from before there were quotes stays, and its approval carries it still.
"""

from django.db import migrations
from django.db.models import F, OuterRef, Subquery


def put_lines_back(apps, schema_editor):  # noqa: ARG001
    """Name the request of each approval, then give each moved line back to the submission that it came with."""
    submissions = apps.get_model("cancellations", "Submission").objects
    lines = apps.get_model("cancellations", "SubmissionLine").objects
    requests = apps.get_model("cancellations", "CancellationRequest").objects
    approvals = submissions.filter(origin="approval")
    carried = requests.filter(line__submission=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    approvals.update(approved_request=Subquery(carried))
    quoted = apps.get_model("cancellations", "RefundQuote").objects.filter(lines__line=OuterRef("pk"))
    moved = lines.filter(submission__origin="approval").annotate(
        asked_in=Subquery(quoted.values("submission")[:1])
    )
    for pk, asked_in in moved.exclude(asked_in=None).values_list("pk", "asked_in").iterator():
        lines.filter(pk=pk).update(submission=asked_in)
    # Earlier tries of an approval carry nothing any more: where only one request can be meant, it is.
    for approval in approvals.filter(approved_request=None).iterator():
        pks = requests.filter(line__order_item__order=approval.order_id, delivery_round__gt=0)
        of_order = list(pks.values_list("pk", flat=True)[:2])
        if len(of_order) == 1:
            submissions.filter(pk=approval.pk).update(approved_request=of_order[0])


def move_lines(apps, schema_editor):  # noqa: ARG001
    """Move each line to the newest approval of its request, as the version before did."""
    lines = apps.get_model("cancellations", "SubmissionLine").objects
    newest = (
        apps.get_model("cancellations", "Submission")
        .objects.filter(approved_request__line=OuterRef("pk"))
        .order_by("-pk")
        .values("pk")[:1]
    )
    carried = lines.annotate(approval=Subquery(newest)).exclude(approval=None)
    for pk, approval in carried.exclude(approval=F("submission")).values_list("pk", "approval").iterator():
        lines.filter(pk=pk).update(submission=approval)


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0019_approvals_name_their_request")]

    operations = [migrations.RunPython(put_lines_back, move_lines)]
