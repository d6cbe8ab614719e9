"""Hand a mail over, and tell three outcomes apart: handed over, certainly not, nobody knows."""

import contextlib
import smtplib

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

_PERMANENT = 500


class NotDelivered(Exception):
    """The mail server certainly has not taken it. `is_final`: it would not take it another time either."""

    def __init__(self, detail: str, *, is_final: bool) -> None:
        super().__init__(detail)
        self.is_final = is_final


class DeliveryUnknown(Exception):
    """The connection broke after the mail may have left: the mail server may have taken it."""


def hand_over(mail: EmailMultiAlternatives) -> None:
    """Hand a mail to the mail server. Raises `NotDelivered` or `DeliveryUnknown`."""
    connection = get_connection()
    try:
        try:
            connection.open()
        except OSError as error:  # smtplib's errors are among them; nothing has been said yet
            raise NotDelivered(_describe(error), is_final=False) from error
        _send(connection, mail)
    finally:
        with contextlib.suppress(OSError):
            connection.close()


def _send(connection: BaseEmailBackend, mail: EmailMultiAlternatives) -> None:
    mail.connection = connection
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        is_final = bool(codes) and all(code >= _PERMANENT for code in codes)
        raise NotDelivered(_describe(error), is_final=is_final) from error
    except smtplib.SMTPResponseException as error:  # the server's own no, to sender or content
        raise NotDelivered(_describe(error), is_final=error.smtp_code >= _PERMANENT) from error
    except OSError as error:
        raise DeliveryUnknown(_describe(error)) from error


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
