"""Re-encrypt with the newest key what an older key encrypted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db import models
from django.db.models.functions import Cast

from aftercart.lib.crypto import EncryptedTextField, renew

#: How many rows are read at once.
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class RotationResult:
    """How many values there are, how many were encrypted anew, and how many no key opens."""

    checked: int = 0
    renewed: int = 0
    lost: int = 0


def rotate_keys(progress: Callable[[int, int], None] | None = None) -> RotationResult:
    """Encrypt anew whatever is not encrypted with the newest key; `progress` gets rows done and rows in all.

    Each value is replaced by an UPDATE that names the one that was read, so whoever writes or clears it
    meanwhile wins, and no row stays locked. What no key opens is left as it is: a key that was lost may be
    found again.
    """
    columns = [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, EncryptedTextField)
    ]
    total = sum(model._default_manager.exclude(**{field: ""}).count() for model, field in columns)
    checked = renewed = lost = 0
    for model, field in columns:
        for pk, token in _read_tokens(model, field):
            fresh = renew(token)
            checked += 1
            lost += fresh is None
            if fresh is not None and fresh != token:
                renewed += _replace(model, field, pk, token, fresh)
            if progress is not None:
                progress(checked, total)
    return RotationResult(checked, renewed, lost)


def _read_tokens(model: type[models.Model], field: str) -> Iterator[tuple[Any, str]]:
    """Read a column as it is stored, row by row, in batches by id."""
    last: Any = 0
    rows = _with_token(model, field).exclude(**{field: ""}).order_by("pk")
    while batch := list(rows.filter(pk__gt=last).values_list("pk", "token")[:_BATCH]):
        yield from batch
        last = batch[-1][0]


def _replace(model: type[models.Model], field: str, pk: int, token: str, fresh: str) -> int:
    stored = models.Value(fresh, output_field=models.TextField())
    return _with_token(model, field).filter(pk=pk, token=token).update(**{field: stored})


def _with_token(model: type[models.Model], field: str) -> models.QuerySet[Any]:
    """Have the column as it is stored beside the row, as `token`."""
    manager = model._default_manager
    return manager.annotate(token=Cast(field, models.TextField()))
