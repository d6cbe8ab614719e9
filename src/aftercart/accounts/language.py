"""The language that a customer has chosen: it goes with the account, to other browsers and into e-mails."""

from aftercart.accounts.models import User


def keep_language(user: User, language: str) -> None:
    """Keep a choice with the account (one query); `language` is one of `settings.LANGUAGES`."""
    User.objects.filter(pk=user.pk).exclude(language=language).update(language=language)
