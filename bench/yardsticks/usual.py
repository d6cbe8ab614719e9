"""The other yardstick: an order as Django REST framework is usually used, on our tables, middleware and session.

Model serializers, nested, with everything fetched beforehand; the database connection is kept, the renderer is JSON's.
"""

from django.db import models
from django.urls import path
from rest_framework import generics, serializers

from aftercart.orders.models import DiscountItem, Order, OrderItem


class ItemSerializer(serializers.ModelSerializer[OrderItem]):
    """An item, with all of its columns."""

    class Meta:
        model = OrderItem
        fields = "__all__"


class DiscountSerializer(serializers.ModelSerializer[DiscountItem]):
    """A discount, with all of its columns."""

    class Meta:
        model = DiscountItem
        fields = "__all__"


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order with its items and discounts."""

    items = ItemSerializer(many=True, read_only=True)
    discounts = DiscountSerializer(many=True, read_only=True)

    class Meta:
        model = Order
        fields = "__all__"


class OrderView(generics.RetrieveAPIView[Order]):
    """`GET /users/orders/{id}/`."""

    serializer_class = OrderSerializer

    def get_queryset(self) -> models.QuerySet[Order]:
        """Return the caller's orders."""
        return Order.objects.filter(user=self.request.user.pk).prefetch_related("items", "discounts")


urlpatterns = [path("users/orders/<int:pk>/", OrderView.as_view())]
