"""Note requests in the OMS's queue that must not stay there, and have them rejected."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, SpareRequest
from aftercart.oms.messages import RemoteRequest


@transaction.atomic
def note_spares(request_pk: int, rows: Iterable[RemoteRequest]) -> None:
    """Note requests that are at the OMS beside those that a request stands for; those that it does are left out."""
    request = CancellationRequest.objects.select_related("delivery").get(pk=request_pk)
    for row in rows:
        if row.pk in request.remote_pks:
            continue
        spare, is_new = SpareRequest.objects.get_or_create(
            request=request, name=row.remote_id or "", remote_pk=row.pk
        )
        if is_new:
            jobs.enqueue(jobs.REJECT_SPARE, spare.pk)


@transaction.atomic
def look_later(request: CancellationRequest, names: Iterable[str]) -> None:
    """Have names looked for once more after the grace: a creation that had been given up may still come under them."""
    for name in names:
        spare, _is_new = SpareRequest.objects.update_or_create(
            request=request, name=name, remote_pk=None, defaults={"state": SpareRequest.State.FOUND}
        )
        jobs.enqueue(jobs.REJECT_SPARE, spare.pk, wait=settings.VERIFY_GRACE)
