"""Versions of the policy, where the back office shows them, and what its pages say."""

from html import unescape

from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.policy.draft_policy import draft_policy
from aftercart.actions.policy.publish_policy import publish_policy
from aftercart.cancellations.models import CancellationRequest, PolicyRule, PolicyVersion, Submission
from aftercart.cancellations.policy.selectors import get_default_book
from aftercart.orders.models import TimelineEntry
from tests.http.backoffice_world import make_staff

POLICIES = "/backoffice/cancellations/policyversion/"
RULES = "/backoffice/cancellations/policyrule/"
REASONS = "/backoffice/cancellations/cancellationreason/"


def make_draft() -> PolicyVersion:
    return PolicyVersion.objects.get(pk=draft_policy(make_staff(), get_default_book()))


def make_published() -> PolicyVersion:
    version = make_draft()
    publish_policy(version.pk, make_staff())
    version.refresh_from_db()
    return version


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return unescape(response.content.decode())


def count_everything() -> list[int]:
    models = (PolicyVersion, PolicyRule, Submission, CancellationRequest, TimelineEntry, ProcrastinateJob)
    return [model.objects.count() for model in models]
