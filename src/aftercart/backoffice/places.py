"""Countries, cities, townships and districts, and the customers' address books."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from aftercart.accounts.document import address_document
from aftercart.accounts.models import Address, City, Country, District, Township, User
from aftercart.backoffice.desk import DeskAdmin
from aftercart.backoffice.links import link_row
from aftercart.backoffice.search import OwnSearch
from aftercart.backoffice.sheets import Fact, Panel, Sheet, SheetAdmin, keep_filled
from aftercart.backoffice.snapshots import write_address
from aftercart.backoffice.words import say_moment


@admin.register(Country)
class CountryAdmin(DeskAdmin[Country]):
    """Countries that the shop delivers to."""

    list_display = ("name", "code", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "code")
    fields = ("name", "code", "is_active")


@admin.register(City)
class CityAdmin(DeskAdmin[City]):
    """Cities."""

    list_display = ("name", "country", "postcode", "priority", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("country",)
    search_fields = ("name",)
    autocomplete_fields = ("country",)
    fields = ("country", "name", "postcode", "priority", "is_active")


@admin.register(Township)
class TownshipAdmin(DeskAdmin[Township]):
    """Townships."""

    list_display = ("name", "city", "postcode", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("city",)
    search_fields = ("name", "city__name")
    autocomplete_fields = ("city",)


@admin.register(District)
class DistrictAdmin(DeskAdmin[District]):
    """Districts."""

    list_display = ("name", "township", "postcode", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("township",)
    search_fields = ("name", "township__name")
    autocomplete_fields = ("township",)


@admin.register(Address)
class AddressAdmin(SheetAdmin[Address]):
    """Entries of address books: the customers' own, so that staff read and do not write."""

    read_along = ("user", "country", "city", "township", "district")
    list_display = ("title", "user", "first_name", "last_name", "city", "country")
    search_fields = ("user__email", "last_name", "line")
    search_help_text = _("E-mail, last name or street")
    search = OwnSearch(("last_name", "line"), user=True)
    ordering = ("-id",)

    def make_sheet(self, request: HttpRequest, obj: Address) -> Sheet:  # noqa: ARG002 - Django's signature
        """Write the page of one address."""
        facts = [
            Fact(_("Customer"), link_row(User, obj.user_id, obj.user.email)),
            Fact(_("Address"), write_address(address_document(obj))),
            Fact(_("Tax office"), obj.tax_office),
            Fact(_("Default address"), _("Yes") if obj.primary else ""),
            Fact(_("Changed"), say_moment(obj.modified_date)),
        ]
        return Sheet(title=obj.title, main=[Panel(_("Address"), keep_filled(facts))])
