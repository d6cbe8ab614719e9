"""Change what a customer may change of their own account."""

from collections.abc import Mapping
from typing import Any, Final

from aftercart.accounts.models import User

PROFILE_FIELDS: Final = (
    "first_name", "last_name", "phone", "gender", "date_of_birth", "email_allowed", "sms_allowed",
)  # fmt: skip


def edit_profile(user: User, changes: Mapping[str, Any]) -> None:
    """Keep these fields, which are among `PROFILE_FIELDS`, and no others."""
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=[name for name in PROFILE_FIELDS if name in changes])
