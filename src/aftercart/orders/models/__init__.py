"""Orders as Aftercart keeps them, their documents, and the words that they are found by."""

from aftercart.orders.models.one_time_codes import OneTimeCode
from aftercart.orders.models.orders import DiscountItem, IdempotencyRecord, Order, OrderItem, TimelineEntry
from aftercart.orders.models.search import OrderWords
from aftercart.orders.models.stored import OrderRevision, SharedRevision, StoredDocument
