"""The policy: its versions, a draft with its rules, publishing it, and trying it out."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.actions.policy.draft_policy import draft_policy
from aftercart.actions.policy.publish_policy import publish_policy
from aftercart.backoffice.columns import make_column, number_column
from aftercart.backoffice.desk import DeskAdmin
from aftercart.backoffice.links import link_row, make_list_url, make_url
from aftercart.backoffice.policy_forms import PublicationForm, RuleForm, RuleFormSet
from aftercart.backoffice.policy_try import try_policy
from aftercart.backoffice.policy_words import name_book, say_content, say_subject
from aftercart.backoffice.words import NOTHING, Text, say_moment, show_badge
from aftercart.cancellations.models.policies import PolicyRule, PolicyVersion
from aftercart.cancellations.policy.selectors import get_book, get_default_book, read_book, read_rule
from aftercart.lib.ids import read_id
from aftercart.orders.errors import ActionError
from aftercart.orders.policy.clauses import PolicyBook

if TYPE_CHECKING:
    from django.contrib.admin import TabularInline

    from aftercart.accounts.models import User

    class _Inline(TabularInline[PolicyRule, PolicyVersion]):
        """django-unfold's class, which has no types, as mypy may see it."""

else:
    from unfold.admin import TabularInline as _Inline

#: More rules than anybody reads; and the fields of their forms stay below Django's limit.
_MOST_RULES = 120


def _may_change(request: HttpRequest, version: PolicyVersion | None) -> bool:
    """Return whether somebody may edit a version: a draft only."""
    may = request.user.has_perm("cancellations.change_policyversion")
    return may and (version is None or version.is_draft)


def _find_version(typed: str) -> PolicyVersion | None:
    pk = read_id(typed)
    return None if pk is None else PolicyVersion.objects.filter(pk=pk).first()


def _say_overtaken(request: HttpRequest, version: PolicyVersion | None, error: DatabaseError) -> HttpResponse:
    """Say that somebody else was quicker: has published the version, or used a rule's number. Else raise."""
    if version is None:
        raise error
    version.refresh_from_db()
    if version.is_draft and not isinstance(error, IntegrityError):
        raise error
    messages.error(
        request, gettext("Somebody else has changed this version in the meantime; nothing was saved.")
    )
    return HttpResponseRedirect(make_url(PolicyVersion, version.pk))


class RuleInline(_Inline):
    """The rules of a version: the essence in place, the rest on a page of its own."""

    model = PolicyRule
    form = RuleForm
    formset = RuleFormSet
    fields = ("number", "topic", "cancellation_type", "channel_id", "effect", "show_subject", "show_content")
    readonly_fields = ("show_subject", "show_content")
    extra = 0
    max_num = _MOST_RULES
    verbose_name = _("rule")
    verbose_name_plural = _("Rules, by number. The most specific one decides, whatever its number.")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Return who may see rules: whoever may see versions."""
        return any(
            request.user.has_perm(f"cancellations.{verb}_policyversion") for verb in ("view", "change")
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return who may add, edit and delete rules."""
        return _may_change(request, obj)

    has_add_permission = has_delete_permission = has_change_permission

    @admin.display(description=_("applies to"))
    def show_subject(self, obj: PolicyRule) -> Text:
        """Say whom it is about, as the link to all of the rule."""
        return link_row(PolicyRule, obj.pk, say_subject(read_rule(obj))) if obj.pk else NOTHING

    @admin.display(description=_("says"))
    def show_content(self, obj: PolicyRule) -> Text:
        """Say its window, terms and code."""
        return say_content(read_rule(obj)) if obj.pk else NOTHING


def _show_state(version: PolicyVersion) -> SafeString:
    """Show whether it is published; the default, for what was judged by it, is marked."""
    if version.is_default:
        return show_badge(gettext("Default, as applied"), "quiet")
    return show_badge(version.get_state_display(), "warn" if version.is_draft else "good")


@admin.register(PolicyVersion)
class PolicyVersionAdmin(DeskAdmin[PolicyVersion]):
    """Versions, the newest first. A draft is edited and deleted; what is published can only be copied."""

    read_along = ("author",)
    list_display = ("show_number", "show_state", "show_from", "show_author", "note", "show_count")
    list_filter = ("state",)
    list_before_template = "backoffice/policy_list.html"
    change_form_outer_before_template = "backoffice/policy_buttons.html"
    fields = ("note",)
    inlines = (RuleInline,)
    more_pages: ClassVar = {"draft": "draft/", "try_out": "try/", "publish": "<int:pk>/publish/"}

    try_out = try_policy
    show_number = number_column(_("version"))
    show_state = make_column(_("state"), _show_state)
    show_from = make_column(
        _("in force from"), lambda row: NOTHING if row.is_default else say_moment(row.effective_from)
    )
    show_author = make_column(_("by"), lambda row: row.author.email if row.author else NOTHING)
    show_count = make_column(_("rules"), lambda row: row.count_of_rules)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyVersion]:
        """List versions with all that a row shows, in one query."""
        return super().get_queryset(request).annotate(count_of_rules=Count("rules"))

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Refuse the empty form: a version begins as a copy."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: PolicyVersion | None = None) -> bool:
        """Return who may edit: drafts only."""
        return _may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: PolicyVersion | None = None) -> bool:
        """Return who may delete: drafts only, one at a time."""
        may = request.user.has_perm("cancellations.delete_policyversion")
        return may and obj is not None and obj.is_draft

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Say above the list which policy is in force."""
        context = {
            "in_force": name_book(get_book()),
            "may_draft": request.user.has_perm("cancellations.add_policyversion"),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form with its buttons; what was published meanwhile is told, not half saved."""
        version = _find_version(object_id or "")
        may_publish = request.user.has_perm("cancellations.publish_policyversion")
        context = {
            "version": version,
            "may_publish": may_publish and version is not None and version.is_draft,
            "may_draft": request.user.has_perm("cancellations.add_policyversion"),
            "publication": PublicationForm(),
            "title": gettext("Policy version #%(pk)s") % {"pk": object_id},
        }
        try:
            return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})
        except DatabaseError as error:
            return _say_overtaken(request, version, error)

    def draft(self, request: HttpRequest) -> HttpResponse:
        """Begin a draft (POST): a copy of a version, of the default, or of what is in force."""
        if not request.user.has_perm("cancellations.add_policyversion"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        pk = draft_policy(cast("User", request.user), self._get_source(request.POST.get("source", "")))
        messages.success(request, gettext("A draft was created. Nothing changes until it is published."))
        return HttpResponseRedirect(make_url(PolicyVersion, pk))

    def _get_source(self, typed: str) -> PolicyBook:
        if typed == "default":
            return get_default_book()
        if not typed:
            return get_book()
        version = _find_version(typed)
        if version is None:
            raise Http404
        return read_book(version)

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish a draft (POST)."""
        if not request.user.has_perm("cancellations.publish_policyversion"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not PolicyVersion.objects.filter(pk=pk).exists():
            raise Http404
        form = PublicationForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(str(error) for error in form.errors["effective_from"]))
            return HttpResponseRedirect(make_url(PolicyVersion, pk))
        try:
            moment = publish_policy(pk, cast("User", request.user), form.cleaned_data["effective_from"])
        except ActionError as error:
            messages.error(request, " ".join(error.sentences()))
        else:
            text = gettext("Version #%(pk)s is published and in force from %(at)s.")
            messages.success(request, text % {"pk": pk, "at": say_moment(moment)})
        return HttpResponseRedirect(make_url(PolicyVersion, pk))


@admin.register(PolicyRule)
class PolicyRuleAdmin(DeskAdmin[PolicyRule]):
    """One rule of a draft, with all of its columns. Reached from its version; there is no list of its own."""

    form = RuleForm
    fieldsets = (
        (None, {"fields": ("number", "topic", "effect", "cancellation_type")}),
        (
            _("What it applies to"),
            {
                "fields": (
                    "channel_id", "sku_patterns", "category_patterns", "statuses", "payment_types",
                    "client_types", "countries", ("amount_above", "amount_up_to", "currency"),
                ),
                "description": _("Empty: everything. Use * and ? as wildcards. Amounts are the whole request's."),
            },
        ),
        (_("Window"), {"fields": (("window_basis", "window_length", "window_unit"),)}),
        (
            _("What the customer is told"),
            {
                "fields": ("code", "message_en", "message_tr"),
                "description": _("Empty: the topic's own code and sentence."),
            },
        ),
        (_("Terms"), {"fields": (("fee_fixed", "fee_percent"), "shipping_refund")}),
    )  # fmt: skip

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002 - Django's signature
        """Lead to the versions, where the rules are: whoever may see them gets there."""
        return HttpResponseRedirect(make_list_url(PolicyVersion))

    def has_module_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Keep it out of the menus."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Refuse: a rule is added to its version."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return who may see a rule; there is no list of them."""
        may = request.user.has_perm("cancellations.view_policyversion")
        return obj is not None and (may or self.has_change_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: PolicyRule | None = None) -> bool:
        """Return who may edit a rule: of a draft only."""
        return obj is not None and _may_change(request, obj.version)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return who may delete a rule."""
        return self.has_change_permission(request, obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form; a rule that was published meanwhile is told, not an error of ours."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DatabaseError as error:
            rule = PolicyRule.objects.select_related("version").filter(pk=object_id or 0).first()
            return _say_overtaken(request, rule.version if rule else None, error)

    def response_post_save_change(self, request: HttpRequest, obj: PolicyRule) -> HttpResponseRedirect:  # noqa: ARG002 - Django's signature
        """Go back to the version."""
        return HttpResponseRedirect(make_url(PolicyVersion, obj.version_id))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """Go back to the versions."""
        return HttpResponseRedirect(make_list_url(PolicyVersion))
