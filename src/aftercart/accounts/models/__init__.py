"""Customers and staff, their sessions and addresses, and what may be tried how often."""

from aftercart.accounts.models.api_tokens import ApiToken
from aftercart.accounts.models.rate_limits import RateLimit
from aftercart.accounts.models.users import (
    Address,
    City,
    Country,
    District,
    Session,
    Township,
    User,
    UserManager,
)
