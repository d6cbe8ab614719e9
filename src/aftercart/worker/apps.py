"""The Django app of worker."""

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    """Jobs and schedules."""

    name = "aftercart.worker"
