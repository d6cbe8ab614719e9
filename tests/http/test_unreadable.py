"""What cannot be read is the client's fault: 400, as JSON or as a page that cannot fail itself."""

import json
from typing import Any

import pytest
from django.db import DataError
from django.template import loader
from django.test import Client

from tests.http.fuzz import Headers, Proto, Scope, send
from tests.shop import PASSWORD, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

JSON = "application/json"


def ask(method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Proto:
    rows = [("Host", "localhost"), ("Content-Length", str(len(body)))]
    rows += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return send(Scope(method, path, query, Headers(rows)), body)


@pytest.fixture(autouse=True)
def _local(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]


@pytest.mark.parametrize(
    "charset", ["hex", "zlib", "utf-16", "undefined", "idna", "unicode_escape", "nonsense"]
)
def test_a_charset_that_is_none_is_a_400(charset: str) -> None:
    for kind in (JSON, "application/x-www-form-urlencoded", "text/plain"):
        answer = ask(
            "POST", "/users/login/", body=b"7b7d", Content_Type=f"{kind}; charset={charset}", Accept=JSON
        )

        assert answer.status == 400
        assert json.loads(answer.body)["code"] == "bad_request"


def test_a_parameter_that_names_its_own_codec_is_a_400() -> None:
    assert (
        ask("POST", "/users/login/", body=b"{}", Content_Type="application/json; charset*=hex''61").status
        == 400
    )


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "iso-8859-9", "us-ascii"])
def test_real_charsets_are_read(charset: str) -> None:
    answer = ask(
        "POST", "/users/login/", body=b"{}", Content_Type=f"application/json;charset={charset}", Accept=JSON
    )

    assert list(json.loads(answer.body))[:1] == ["email"]


@pytest.mark.parametrize("accept", [JSON, "text/html"])
def test_too_many_parameters_are_a_400(accept: str) -> None:
    many = "a=1&" * 1500
    form = "application/x-www-form-urlencoded"

    assert ask("GET", "/users/login/", many, Accept=accept).status == 400
    answer = ask("POST", "/users/orders/anonymous/", body=many.encode(), Content_Type=form, Accept=accept)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "cookie", [r'sessionid="\000"', r'osessionid="\000x"', r'sessionid="\000"; osessionid="\000"']
)
@pytest.mark.parametrize("path", ["/users/orders/", "/backoffice/", "/current_user/"])
def test_a_session_cookie_with_a_nul_is_nobodys(cookie: str, path: str) -> None:
    answer = ask("GET", path, Cookie=cookie)
    without = ask("GET", path)

    assert (answer.status, answer.body) == (without.status, without.body)
    assert answer.status in {200, 302, 401}


@pytest.mark.parametrize("host", ["junk junk", "[::1", "a,b", "@", "evil.example"])
def test_a_junk_host_is_a_400_on_every_page(host: str) -> None:
    for accept in (JSON, "text/html"):
        rows = Headers([("Host", host), ("Accept", accept)])

        assert send(Scope("GET", "/users/login/", "", rows), b"").status == 400


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "a\\udc00b"])
def test_json_with_what_is_no_text_is_a_400(text: str) -> None:
    body = f'{{"number": "{text}", "email": "a@example.com"}}'.encode()

    answer = ask("POST", "/users/orders/anonymous/", body=body, Content_Type=JSON)

    assert answer.status == 400
    assert list(json.loads(answer.body)) == ["number", "code"]


@pytest.mark.parametrize("content_type", ["APPLICATION/JSON", "Application/Json; charset=UTF-8"])
def test_the_case_of_a_media_type_does_not_matter(content_type: str) -> None:
    email = make_customer().email
    body = json.dumps({"email": email, "password": PASSWORD}).encode()

    answer = ask("POST", "/users/login/", body=body, Content_Type=content_type, Accept="APPLICATION/JSON")

    assert answer.status == 200
    assert list(json.loads(answer.body)) == ["key"]


@pytest.mark.parametrize(
    "error", [DataError("out of range"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate")]
)
def test_what_only_the_database_finds_unreadable_is_a_400(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("aftercart.actions.account.limit_guests.count_try", fail)
    given = {"number": "ORD-1", "email": "a@example.com"}

    as_json = Client().post("/users/orders/anonymous/", given, content_type=JSON)
    as_page = Client().post("/orders/guest/", given)

    assert (as_json.status_code, as_json.json()["code"]) == (400, "bad_request")
    assert as_page.status_code == 400


def test_an_error_page_that_fails_is_a_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a shop's own template")

    monkeypatch.setattr(loader, "render_to_string", fail)

    answer = Client().get("/nowhere/")

    assert answer.status_code == 404
    assert answer.content == (
        b"<!doctype html><html><head><meta charset=utf-8><title>404</title></head><body><p>Not found.</p></body></html>"
    )


def test_too_many_fields_for_the_documents_page_are_a_400_whoever_asks() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_customer())

    answer = client.post(f"/api/docs/?{'a&' * 1_001}", headers={"Origin": "https://elsewhere.example"})

    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "TRACE"])
def test_the_page_of_the_documents_is_only_read(client: Client, method: str) -> None:
    assert client.generic(method, "/api/docs/", headers={"accept": "application/json"}).status_code == 405
