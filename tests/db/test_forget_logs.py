"""Log-ins and staff's changes do not stay on record for ever."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from aftercart.actions.upkeep.forget import forget_logs
from tests.shop import make_customer

pytestmark = pytest.mark.django_db

_MARGIN = timedelta(minutes=5)


def age(row: models.Model, field: str, by: timedelta) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**{field: timezone.now() - by})


@pytest.mark.parametrize(("is_old", "left"), [(True, 0), (False, 1)])
def test_what_is_older_than_its_time_is_deleted_and_the_rest_stays(*, is_old: bool, left: int) -> None:
    user = make_customer()
    edge = _MARGIN if is_old else -_MARGIN
    log_in = AccessLog.objects.create(username=user.email, ip_address="192.0.2.1")
    age(log_in, "attempt_time", settings.AUDIT_LIFE + edge)
    attempt = AccessAttempt.objects.create(
        username=user.email, ip_address="192.0.2.1", failures_since_start=3
    )
    age(attempt, "attempt_time", settings.AXES_COOLOFF_TIME + timedelta(days=1) + edge)
    change = LogEntry.objects.create(
        user=user, content_type=ContentType.objects.get_for_model(user), action_flag=CHANGE
    )
    age(change, "action_time", settings.AUDIT_LIFE + edge)

    assert forget_logs() == 3 * is_old
    assert [model.objects.count() for model in (AccessLog, AccessAttempt, LogEntry)] == [left] * 3
