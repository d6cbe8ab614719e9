"""The order document, field names to the letter of contract section 6."""

from typing import Final

from aftercart.api.schema.addresses import Address
from aftercart.api.schema.fields import (
    Document,
    amount,
    flag,
    integer,
    make_enumeration,
    moment,
    passed_on,
    text,
)
from aftercart.cancellations.models import CancellationRequest
from aftercart.orders.status import Status
from rest_framework import serializers
