import pytest

from aftercart.lib.forwarded import parse_address, settle_forwarded

PEER = "10.0.0.9"


def settle(hops: int = 1, peer: str = PEER, **headers: str) -> dict[str, str]:
    environ = {
        "REMOTE_ADDR": peer,
        **{f"HTTP_X_FORWARDED_{name.upper()}": text for name, text in headers.items()},
    }
    settle_forwarded(environ, hops)
    return environ


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:DB8::0007", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:", None),
        ("192.0.2.7:http", None),
        ("192.0.2.7:123456", None),
        ("[2001:db8::7", None),
        ("[2001:db8::7]x", None),
        ("192.0.2.300", None),
        ("192.0.2.07", None),
        ("١٩٢.0.2.7", None),
        ("unknown", None),
        ("_hidden", None),
        ("'; DROP TABLE", None),
        ("", None),
    ],
)
def test_an_address_is_parsed_strictly(text: str, address: str | None) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("said", "hops", "client"),
    [
        ("192.0.2.7", 1, "192.0.2.7"),
        ("1.1.1.1, 192.0.2.7", 1, "192.0.2.7"),  # what the client wrote itself stands to the left
        ("1.1.1.1, 192.0.2.7, 10.0.0.1", 2, "192.0.2.7"),
        ("1.1.1.1,192.0.2.7:55,10.0.0.1", 2, "192.0.2.7"),
        ("192.0.2.7", 2, PEER),  # it came past the outer proxy
        ("junk", 1, PEER),
        ("192.0.2.7, junk", 1, PEER),
        ("", 1, PEER),
        (",,", 1, PEER),
        ("192.0.2.7", 0, PEER),
    ],
)
def test_the_client_is_the_hops_th_from_the_right(said: str, hops: int, client: str) -> None:
    assert settle(hops, **{"for": said}) == {"REMOTE_ADDR": client}


@pytest.mark.parametrize(
    ("name", "said", "hops", "kept"),
    [
        ("proto", "https", 1, "https"),
        ("proto", "HTTPS", 1, "https"),
        ("proto", "https, http", 2, "https"),
        ("proto", "https, http", 1, "http"),
        ("proto", "gopher", 1, None),
        ("proto", "https", 0, None),
        ("host", "orders.example.com", 1, "orders.example.com"),
        ("host", "orders.example.com:8443", 1, "orders.example.com:8443"),
        ("host", "[2001:db8::7]:80", 1, "[2001:db8::7]:80"),
        ("host", "orders.example.com/x?", 1, None),
        ("host", "a b\x00", 1, None),
        ("host", "orders.example.com", 0, None),
    ],
)
def test_scheme_and_host_are_usable_or_gone(name: str, said: str, hops: int, kept: str | None) -> None:
    expected = {"REMOTE_ADDR": PEER} | ({f"HTTP_X_FORWARDED_{name.upper()}": kept} if kept else {})

    assert settle(hops, **{name: said}) == expected


def test_a_peer_without_an_address_is_nobody() -> None:
    assert settle(peer="unix:") == {"REMOTE_ADDR": ""}
