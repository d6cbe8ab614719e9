"""The Django app of mail."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """E-mails: the outbox, their words, and how they leave."""

    name = "aftercart.mail"
