"""Read-only pages of one row each: a sheet of panels. What it shows cannot be edited, added or deleted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from aftercart.backoffice.desk import DeskAdmin
from aftercart.backoffice.words import NOTHING, Text

_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what it is."""

    label: Text
    value: Text


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled box with facts, or with a table; `empty` stands in for a table without rows."""

    title: Text
    facts: Sequence[Fact] = ()
    columns: Sequence[Text] = ()
    rows: Sequence[Sequence[Text]] = ()
    empty: Text = NOTHING

    @property
    def named_rows(self) -> Sequence[Sequence[tuple[Text, Text]]]:
        """The rows, each cell after its column's name, which a phone shows before it."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An entry of a timeline, in words."""

    at: str
    who: str
    what: str
    about: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page shows: a headline with its badge, panels in two columns, and perhaps a timeline."""

    title: Text
    badge: Text = ""
    subtitle: Text = ""
    main: Sequence[Panel] = ()
    side: Sequence[Panel] = ()
    timeline: Sequence[TimelineRow] | None = None
    more: dict[str, Any] = field(default_factory=dict)


def keep_filled(facts: Iterable[Fact]) -> list[Fact]:
    """Leave out the facts that nobody has told."""
    return [fact for fact in facts if fact.value not in {"", NOTHING}]


class SheetAdmin(DeskAdmin[_M], Generic[_M]):
    """A model that staff read. Its page takes GET only; there is no form behind it to be fooled."""

    sheet_template: ClassVar[str] = "backoffice/sheet.html"
    #: Whether those with the permission to change may decide on a row, or do what its page offers.
    is_acted_on: ClassVar[bool] = False

    def make_sheet(self, request: HttpRequest, obj: _M) -> Sheet:
        """Write the sheet of one row."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody adds one here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return who may act on one; nobody edits one here."""
        return self.is_acted_on and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody deletes one here."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",  # noqa: ARG002 - Django's signature
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the sheet, in place of Django's form."""
        if object_id is None:
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        sheet = self.make_sheet(request, obj)
        context = {
            "title": sheet.title,
            "sheet": sheet,
            "row": obj,
            "preserved_filters": self.get_preserved_filters(request),
            **(extra_context or {}),
        }
        return self.show_page(request, self.sheet_template, **context)
