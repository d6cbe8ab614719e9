"""A browser, as far as Django's test client can be one: it names text/html in `Accept`, and is sent to the log-in."""

from typing import Any

from django.test import Client

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Browser(Client):
    """Django's test client with a browser's `Accept`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(headers={"accept": ACCEPT}, **options)
