"""The two clocks: this host's, and the database's, which all processes share whatever their hosts' clocks say."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone


def get_now() -> datetime:
    """Return this host's time; everything asks here, so that a test moves one clock."""
    return timezone.now()


def get_shop_zone() -> ZoneInfo:
    """Return the shop's time zone, whose days and hours calendars and people speak of."""
    return ZoneInfo(settings.SHOP_TIME_ZONE)


def get_shop_now() -> datetime:
    """Return this host's time in the shop's time zone."""
    return get_now().astimezone(get_shop_zone())


def read_clock() -> datetime:
    """Return the database's time at this moment, inside a transaction too.

    What may be concluded from a reading of the OMS depends on when the reading began: call this before it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
