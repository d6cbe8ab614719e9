"""What customers and their clients do with photos of a return."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from aftercart.cancellations.models import Submission
from tests.http.backoffice_world import log_in
from tests.http.conftest import Api
from tests.http.forms import read
from tests.shop import Shop


def name_page(shop: Shop) -> str:
    return f"/orders/{shop.order.number}/cancel/{Submission.objects.get().uuid}/"


def name_upload(shop: Shop) -> str:
    return f"/orders/{shop.order.number}/cancel/photos/"


def enter(shop: Shop) -> Client:
    return log_in(shop.user)


def send(client: Client, shop: Shop, *photos: bytes, item: int | None = None) -> Any:
    files = [SimpleUploadedFile(f"photo-{n}.jpg", data, "image/jpeg") for n, data in enumerate(photos)]
    body = {"order_item": item or shop.items[0].pk, "photos": files}
    return client.post(name_upload(shop), body, headers={"accept": "text/html"})


def upload(api: Api | Client, shop: Shop, data: bytes, *, item: object = None, **headers: str) -> Any:
    client = api if isinstance(api, Client) else api.client
    body = {"order_item": item or shop.items[0].pk, "photo": SimpleUploadedFile("a.jpg", data)}
    return client.post(name_upload(shop), body, headers={"accept": "application/json", **headers})


def delete(api: Api, url: str, **headers: str) -> Any:
    return api.client.delete(url, headers=api._headers(headers))


def read_complaints(client: Client, answer: Any) -> list[str]:
    """Read what the page that follows complains about."""
    return [line.get_text() for line in read(client.get(answer["Location"])).select(".notice.error")]


def write(api: Api, shop: Shop, data: bytes, **fields: Any) -> Any:
    return upload(api, shop, data, **{**api._headers(None), **fields})
