"""Columns of the lists: those that several lists have, and what makes one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from aftercart.backoffice.links import link_order
from aftercart.backoffice.words import Text, say_age, say_moment, show_state

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Column = Callable[[Any, Any], Text]


def make_column(title: "_StrPromise", say: Callable[[Any], Text], ordering: str | None = None) -> Column:
    """Make a column of what it says of a row; of the field that its list is sorted by, if it is that one."""

    @admin.display(description=title, ordering=ordering)
    def show(_desk: Any, row: Any) -> Text:
        return say(row)

    return show


def number_column(title: "_StrPromise") -> Column:
    """Make the column that names a row, as the link to its page."""
    return make_column(title, lambda row: f"#{row.pk}", "id")


def moment_column(title: "_StrPromise", name: str) -> Column:
    """Make the column of a time."""
    return make_column(title, lambda row: say_moment(getattr(row, name)), name)


def age_column(name: str) -> Column:
    """Make the column that says how long ago the time of this name was."""
    return make_column(_("age"), lambda row: say_age(getattr(row, name)), name)


#: The link to a row's order.
ORDER_COLUMN = make_column(_("order"), lambda row: link_order(row.order))
#: Where a row stands, in the words of its model.
STATE_COLUMN = make_column(_("state"), lambda row: show_state(row.state, row.get_state_display()))
