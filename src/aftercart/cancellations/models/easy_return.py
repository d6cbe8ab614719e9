"""How returns come back: who collects them and when, and the shop's own words where nobody does."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.pickups import Calendar, read_slot, validate_slot
from aftercart.lib.formats import get_active_language


class EasyReturnCompany(models.Model):
    """A shipping company that collects returns for a channel; an empty channel means all.

    Its calendar is in the shop's time zone; what is empty there excludes nothing.
    """

    name = models.CharField(_("name"), max_length=128)
    value = models.CharField(_("Omnitron's code"), max_length=64, help_text="Its code at Omnitron.")
    channel_id = models.IntegerField(_("channel"), null=True, blank=True)
    is_active = models.BooleanField(_("offered to customers"), default=True)
    weekdays = ArrayField(
        models.SmallIntegerField(), default=list, blank=True, help_text="1 is Monday, 7 is Sunday."
    )
    slots = ArrayField(
        models.CharField(max_length=11, validators=[validate_slot]),
        verbose_name=_("hours"),
        default=list,
        blank=True,
        help_text="Hours of collection: 09:00-12:00, 13:00-17:00",
    )
    lead_days = models.PositiveSmallIntegerField(
        _("days ahead"),
        default=0,
        help_text="Days before a collection by which it has to be ordered; 0: the same day.",
    )
    closed_dates = ArrayField(
        models.DateField(),
        verbose_name=_("holidays"),
        default=list,
        blank=True,
        help_text="Holidays: 2026-10-29, 2026-12-31",
    )

    class Meta:
        verbose_name = _("easy-return company")
        verbose_name_plural = _("easy-return companies")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def calendar(self) -> Calendar:
        """When it collects."""
        return Calendar(
            weekdays=frozenset(self.weekdays),
            slots=tuple(sorted(read_slot(text) for text in self.slots)),
            lead_days=self.lead_days,
            closed_dates=frozenset(self.closed_dates),
        )


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
        return own.get_text(get_active_language())
    return gettext(
        "Pack the items well, put the invoice or the order number in, and send the parcel to us. We will give "
        "your money back when it has arrived."
    )
