"""What a customer does with a return that nobody collects: the shop's own words, per channel."""

from django.db import models
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _


class ReturnInstructions(models.Model):
    """How returns of a channel are sent without easy return; an empty channel means all others.

    `translations` maps a language to `{"text": …}`.
    """

    channel_id = models.IntegerField(_("channel"), null=True, blank=True)
    text = models.TextField(_("text"))
    translations = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("return instructions")
        verbose_name_plural = _("return instructions")
        ordering = ["channel_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel_id"], nulls_distinct=False, name="one_text_of_instructions_a_channel"
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    def get_text(self, language: str) -> str:
        """Give the text in a language, or as it was written."""
        return str((self.translations or {}).get(language, {}).get("text") or self.text)


def find_instructions(channel_id: int) -> str:
    """Find how to send a return of a channel, in the caller's language: its own text, that for all, or ours."""
    rows = ReturnInstructions.objects.filter(models.Q(channel_id=channel_id) | models.Q(channel_id=None))
    own = rows.order_by(models.F("channel_id").asc(nulls_last=True)).first()
    if own is not None:
        return own.get_text((get_language() or "en")[:2])
    return gettext(
        "Pack the items well, put the invoice or the order number in, and send the parcel to us. We will give "
        "your money back when it has arrived."
    )
