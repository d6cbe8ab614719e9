"""Addresses and places inside an order document (contract section 6)."""

from aftercart.api.schema.fields import Document, flag, integer, passed_on, text


class Country(Document):
    """A country."""

    pk = integer()
    name = text()
    code = text("ISO 3166-1 alpha-2, in lower case.", pattern="^[a-z]{2}$")
    is_active = flag("Whether the shop still delivers there.")
    translations = passed_on("Its name in other languages.")


class City(Document):
    """A city or province."""

    pk = integer()
    name = text()
    is_active = flag()
    postcode = text()
    priority = integer("Where it stands in a list; null: by name.", null=True)
    country = integer("The country's pk.")
    translations = passed_on("Its name in other languages.")


class Township(Document):
    """A township (ilçe) of a city."""

    pk = integer()
    name = text()
    is_active = flag()
    postcode = text()
    city = integer("The city's pk.")


class District(Document):
    """A district (mahalle) of a township."""

    pk = integer()
    name = text()
    is_active = flag()
    postcode = text()
    city = integer("The city's pk.")
    township = integer("The township's pk.")


class Address(Document):
    """An address as it was when the order was sent to it: later changes of the address book do not reach it."""

    pk = integer("Its entry in the address book; null if it stands in none.", null=True)
    email = text()
    phone_number = text()
    first_name = text()
    last_name = text()
    country = Country()
    city = City(allow_null=True)
    township = Township(allow_null=True)
    district = District(allow_null=True)
    line = text("Street, house, flat.")
    title = text("What the customer calls it.")
    postcode = text()
    notes = text("For the courier.", null=True)
    company_name = text()
    tax_office = text()
    tax_no = text()
    e_bill_taxpayer = flag()
    hash_data = text("Equal for equal addresses.")
    address_type = text("`customer`, or the shop's own kinds.")
    retail_store = passed_on("The store in which the parcel waits, for a store pick-up.")
    remote_id = text(null=True)
    identity_number = text(null=True)
    extra_field = passed_on("What the shop adds of its own.")
    is_corporate = flag()
    primary = flag("Whether it is the first choice of its address book.")


class OrderCountry(Country):
    """A country, or a blank where none is known."""

    pk = integer(null=True)
    code = text("ISO 3166-1 alpha-2, in lower case.", pattern="^([a-z]{2})?$")


class OrderCity(City):
    """A city, or a blank where none is known."""

    pk = integer(null=True)
    country = integer("The country's pk.", null=True)


class OrderTownship(Township):
    """A township, or a blank where none is known."""

    pk = integer(null=True)
    city = integer("The city's pk.", null=True)


class OrderAddress(Address):
    """An address as an order has it. What is not known of it, or what a guest's link does not show, is blank."""

    country = OrderCountry()
    city = OrderCity()
    township = OrderTownship()
