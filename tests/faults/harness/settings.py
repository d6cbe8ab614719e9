"""Aftercart's settings for the processes of a trial: its own, and an app that puts the mutations in."""

from aftercart.settings import *  # noqa: F403 - that is what a settings module is
from aftercart.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.faults.harness.mutations.MutationsConfig"]
