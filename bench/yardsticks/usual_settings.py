"""Our own settings, but for the URLs."""

from aftercart.settings import *  # noqa: F403 - a settings module is made of all of another's names

ROOT_URLCONF = "bench.yardsticks.usual"
