"""Money and times as the customer writes them (`lib.formats`), for templates."""

from django import template

from aftercart.lib.contact import Contact
from aftercart.lib.contact import find_contact as find
from aftercart.lib.formats import format_day, format_moment, format_money, format_points
from aftercart.pages.folding import fold

register = template.Library()
money = register.filter("money", format_money)
points = register.filter("points", format_points)
day = register.filter("day", format_day)
moment = register.filter("moment", format_moment)
folded = register.filter("fold", fold)


@register.simple_tag
def find_contact(number: object = "", reference: object = "") -> Contact:
    """Return the ways to reach the shop, about an order where there is one."""
    return find(str(number or ""), str(reference or ""))
