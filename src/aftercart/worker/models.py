"""Leases of the worker's rounds."""

from django.db import models


class Lease(models.Model):
    """Who may do a round of work that one worker at a time should do.

    `token` is the fencing number: it grows with each holder, and what a holder writes names its own. A lease ends by
    itself, so that a holder that is frozen keeps others waiting for no longer than its time; functions: leases.py.
    """

    name = models.CharField(max_length=64, primary_key=True)
    token = models.BigIntegerField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} #{self.token}"
