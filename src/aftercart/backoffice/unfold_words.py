"""What django-unfold says on the pages of staff: it has no Turkish of its own, so that our catalogue has."""

from typing import Final

from django.utils.translation import gettext_noop as _

#: Nothing reads it: it is here for `make messages`, which collects what it finds.
UNFOLD_WORDS: Final = (
    _("Light"),
    _("Dark"),
    _("System"),
    _("Action"),
    _("Select action"),
    _("Select action to run"),
    _("Run"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("More actions"),
    _("Filters"),
    _("Apply Filters"),
    _("Clear all filters"),
    _("Reset filters"),
    _("No results matching your query"),
    _("Search apps and models..."),
    _("Loading more results..."),
    _("Recent searches"),
    _("No recent searches"),
    _("Type to search"),
    _("Remove from sorting"),
    _("Toggle password visibility"),
    _("After you've created a user, you’ll be able to edit more user options."),  # noqa: RUF001 - as it stands there
    _("This item will be deleted."),
)
