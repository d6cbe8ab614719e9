"""Money and times as the customer writes them (`lib.formats`), for templates."""

from django import template

from aftercart.lib.formats import format_day, format_moment, format_money

register = template.Library()
money = register.filter("money", format_money)
day = register.filter("day", format_day)
moment = register.filter("moment", format_moment)
