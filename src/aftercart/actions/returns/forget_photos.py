"""Delete photos of returns after their time, those that never came whole, and files that belong to none."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from aftercart.cancellations.models import ReturnPhoto
from aftercart.lib import retention
from aftercart.lib.photos import get_storage, name_file

#: A photo that is not whole after so long is given up.
_PATIENCE: Final = timedelta(hours=1)
_FILE: Final = re.compile(r"([0-9a-f]{32})\.jpg")


def forget_photos() -> int:
    """Delete photos whose return is closed and that are older than `PHOTO_DAYS`, with their files; return how many.

    A file goes before its row, so that none is forgotten. Then the files go whose row is gone, with an order or an
    account: a row is committed before its file is written.
    """
    is_old = Q(line__is_open=False, created_at__lt=Now() - settings.PHOTO_LIFE)
    is_lost = Q(stored_at=None, created_at__lt=Now() - _PATIENCE)
    due = ReturnPhoto.objects.filter(is_old | is_lost).order_by("created_at")
    count = 0
    while photos := list(due[: retention.BATCH]):
        for photo in photos:
            get_storage().delete(name_file(photo.uuid))
        count += ReturnPhoto.objects.filter(pk__in=[photo.pk for photo in photos]).delete()[0]
    return count + sum(_delete_strays(names) for names in _list_files())


def _list_files() -> Iterator[Sequence[UUID]]:
    """List the photos that have a file, in batches; what is no file of ours is left alone."""
    try:
        _folders, names = get_storage().listdir("")
    except FileNotFoundError:  # nobody has sent any yet
        return
    ours = [UUID(found[1]) for name in names if (found := _FILE.fullmatch(name))]
    for start in range(0, len(ours), retention.BATCH):
        yield ours[start : start + retention.BATCH]


def _delete_strays(uuids: Sequence[UUID]) -> int:
    known = set(ReturnPhoto.objects.filter(uuid__in=uuids).values_list("uuid", flat=True))
    strays = [uuid for uuid in uuids if uuid not in known]
    for uuid in strays:
        get_storage().delete(name_file(uuid))
    return len(strays)
