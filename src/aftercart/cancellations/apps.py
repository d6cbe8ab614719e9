"""The Django app of cancellations."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CancellationsConfig(AppConfig):
    """Reasons, submissions and requests."""

    name = "aftercart.cancellations"
    verbose_name = _("Cancellations and returns")

    def ready(self) -> None:
        """Have each process ask, before it writes to the OMS, whether sending is on hold."""
        from aftercart.cancellations.models.holds import may_send
        from aftercart.oms.connect import ask_before_writing

        ask_before_writing(may_send)
