"""django-unfold's ModelAdmin with the habits of this back office."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.contrib.admin import helpers
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from aftercart.actions.recognize_replay import once_more_if_raced
from aftercart.backoffice.lists import BoundedList, BoundedPaginator
from aftercart.backoffice.search import OrderSearch, OwnSearch
from aftercart.backoffice.words import Text
from aftercart.lib.ids import read_id

_M = TypeVar("_M", bound=Model)

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.contrib.admin.views.main import ChangeList

    class _UnfoldAdmin(ModelAdmin[_M], Generic[_M]):
        """django-unfold's class, which has no types, as mypy may see it."""

else:
    from unfold.admin import ModelAdmin

    class _UnfoldAdmin(ModelAdmin, Generic[_M]):
        """django-unfold's class, with the parameter that Django's has for mypy."""


def _get_order(desk: Any, name: str) -> str:
    """Return the field that a column is sorted by; a field itself, or what its method names."""
    return str(getattr(getattr(desk, name, None), "admin_order_field", name))


class DeskAdmin(_UnfoldAdmin[_M], Generic[_M]):
    """A model on a desk: bounded pages, one bounded count, the whole width."""

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    paginator = BoundedPaginator
    list_disable_select_all = True
    list_fullwidth = True
    #: What a row shows of other tables.
    read_along: ClassVar[tuple[str, ...]] = ()
    #: How rows are found; None: Django compares each of `search_fields`, which is for short lists.
    search: ClassVar[OrderSearch | OwnSearch | None] = None
    #: Pages beside Django's own: the method that answers, which names the address too, and the route.
    more_pages: ClassVar[Mapping[str, str]] = {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[_M]:
        """List rows with all that they show, in one query."""
        rows = super().get_queryset(request)
        return rows.select_related(*self.read_along) if self.read_along else rows

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of `more_pages`."""
        wrap, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        more = [
            path(route, wrap(getattr(self, page)), name=f"{name}_{page}")
            for page, route in self.more_pages.items()
        ]
        return [*more, *super().get_urls()]

    def show_page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """Show a page of the model that is none of Django's."""
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, whole)

    def describe_empty(self, rows: BoundedList) -> tuple[Text, Text]:
        """Say what a list without rows means: a title and a sentence, which may be empty."""
        if rows.is_narrowed:
            return _("No results"), _("Nothing matches this search or these filters.")
        return _("Nothing here yet"), ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> "type[ChangeList]":  # noqa: ARG002 - Django's signature
        """Name the list."""
        return BoundedList

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """Let it be sorted by the column that it is sorted by anyway: another would sort the whole table."""
        first = self.get_ordering(request)[:1]
        names = {str(name).removeprefix("-") for name in first}
        return [name for name in map(str, self.get_list_display(request)) if _get_order(self, name) in names]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[_M], search_term: str
    ) -> tuple[QuerySet[_M], bool]:
        """Find rows, each once."""
        if self.search is None:
            return super().get_search_results(request, queryset, search_term)
        return self.search.find(queryset, search_term), False

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Do what was chosen to what was selected; Django fails at a selected id that is no number."""
        name = helpers.ACTION_CHECKBOX_NAME
        selected = request.POST.getlist(name)
        ids = [pk for pk in selected if read_id(pk) is not None]
        if ids != selected:
            data = request.POST.copy()
            data.setlist(name, ids)
            request.POST = data  # type: ignore[assignment]  # Django lets it be set
        return super().response_action(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Name the page after what it lists; Django's "Select … to change" is not what staff do here."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    @once_more_if_raced
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show the form or save it; of two who save one thing at once, the second is told as if it came later."""
        return super().changeform_view(request, *args, **kwargs)
