"""What counts as one address, and which addresses are the shop's."""

from ipaddress import ip_network

import pytest
from pytest_django import Settings

from aftercart.accounts.networks import is_shops_own, name_network
from aftercart.lib.emails import fold_email


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:DB8:1:2::", "2001:db8:1:2::"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_an_ipv6_address_counts_as_its_network_and_others_as_themselves(address: str, network: str) -> None:
    assert name_network(address) == network


def test_the_shops_own_are_those_that_the_setting_names(settings: Settings) -> None:
    assert not is_shops_own("10.1.0.1")

    settings.SHOP_NETWORKS = (ip_network("10.1.0.0/16"), ip_network("2001:db8::/32"))

    own = ["10.1.0.1", "10.1.255.255", "::ffff:10.1.0.1", "2001:db8:ff::1"]
    assert [is_shops_own(address) for address in own] == [True] * 4
    others = ["10.2.0.1", "2001:db9::1", "", "10.1.0.1:80"]
    assert [is_shops_own(address) for address in others] == [False] * 4


def test_an_address_is_folded_to_what_is_stored() -> None:
    assert fold_email(" GUEST@Example.com\n") == "guest@example.com"
    assert fold_email("gue\u017ft@example.com") == "gue\u017ft@example.com"
