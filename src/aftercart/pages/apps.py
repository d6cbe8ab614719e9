"""The Django app of pages."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """The HTML pages of customers."""

    name = "aftercart.pages"
