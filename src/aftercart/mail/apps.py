"""The Django app of mail."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    """E-mails: the outbox, their words, and how they leave."""

    name = "aftercart.mail"
    verbose_name = _("E-mails")
