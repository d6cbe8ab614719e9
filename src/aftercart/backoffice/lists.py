"""Lists that take the same time however long they are: a bounded count, bounded pages, and a way on from the last.

Nothing is counted, sorted or joined but what a page shows: the page's ids are found by an index first.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.core.paginator import InvalidPage, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from aftercart.backoffice.words import Text
from aftercart.lib.ids import read_id
from aftercart.lib.search import IsAmong

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList

    _Pages = Paginator[Any]
else:
    from unfold.views import ChangeList

    _Pages = Paginator

#: So many rows are counted, and reached by page numbers.
MOST: Final = 2_000
#: The id of the row after which the list begins.
AFTER: Final = "after"


class BoundedPaginator(_Pages):
    """Pages of the first `MOST` rows."""

    template_name = "backoffice/pages.html"

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the admin gives nothing else
        return rows.values("pk")[: MOST + 1].count()

    @cached_property
    def count(self) -> int:
        """Count the rows, as far as pages go."""
        return min(self._counted, MOST)

    @property
    def is_cut(self) -> bool:
        """Whether there are more."""
        return self._counted > MOST


class BoundedList(ChangeList):
    """A list that finds the ids of its page by an index, and then reads those rows alone."""

    @property
    def is_narrowed(self) -> bool:
        """Whether something was searched for or filtered."""
        return bool(self.query or self.has_active_filters)

    @property
    def empty_words(self) -> tuple[Text, Text]:
        """What the list says without rows: a title and a sentence."""
        desk: Any = self.model_admin
        words: tuple[Text, Text] = desk.describe_empty(self)
        return words

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Leave out what is no filter."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(AFTER, None)
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Sort only by what the list offers: everything else would sort the whole table."""
        offered = {
            str(place) for place, name in enumerate(self.list_display) if name in (self.sortable_by or ())
        }
        asked = self.params.pop(ORDER_VAR, "").split(".")
        if chosen := [place for place in asked if place.removeprefix("-") in offered]:
            self.params[ORDER_VAR] = ".".join(chosen)
        return list(super().get_ordering(request, queryset))

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Begin after the row that is named, if one is."""
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        pk = read_id(request.GET.get(AFTER, ""))
        if pk is None:
            return rows
        name = str(rows.query.order_by[0])
        is_falling, name = name.startswith("-"), name.removeprefix("-")
        last = self.model._default_manager.filter(pk=pk).values_list(name, flat=True).first()
        if last is None:
            return rows
        way = "lt" if is_falling else "gt"
        # As the rows are sorted: of those of one moment, the newest first.
        beyond = Q(**{f"{name}__{way}": last}) | Q(pk__lt=pk)
        return rows.filter(beyond, **{f"{name}__{way}e": last})

    def get_results(self, request: HttpRequest) -> None:
        """Find the page of rows; the total is that of the filter, as far as it is counted."""
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        try:
            page = paginator.page(self.page_num)
        except InvalidPage:
            raise IncorrectLookupParameters from None
        of_page: QuerySet[Any] = page.object_list  # type: ignore[assignment]  # a slice of what the admin gives
        rows = self.root_queryset.filter(IsAmong("pk", of_page.values("pk")))
        if not rows.query.select_related:
            rows = self.apply_select_related(rows)
        self.result_list = rows.order_by(*self.queryset.query.order_by)
        self.result_count = self.full_result_count = paginator.count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = paginator.count > self.list_per_page
        self.paginator = paginator

    @property
    def begins_later(self) -> bool:
        """Whether rows before it are left out."""
        return AFTER in self.params

    @property
    def start_url(self) -> str:
        """Where the list begins at its first row."""
        return self.get_query_string(remove=[AFTER, PAGE_VAR])

    @property
    def next_url(self) -> str:
        """Where the list goes on after the last row of its last page; "" on all other pages."""
        if not self.paginator.is_cut or self.page_num < self.paginator.num_pages:
            return ""
        last = list(self.result_list)[-1]
        return self.get_query_string({AFTER: last.pk}, remove=[PAGE_VAR])
