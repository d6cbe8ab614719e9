import time
from datetime import timedelta
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercart.lib.links import CLOCK_TOLERANCE, LinkInvalid, check_token, peek_number, sign_number

WEEK = timedelta(days=7)


def check(token: str, **changes: object) -> str:
    return check_token(token, **{"purpose": "completed", "link_version": 1, "life": WEEK, **changes})  # type: ignore[arg-type]  # of several types by name


def make() -> str:
    return sign_number("ORD-2024-001234", purpose="completed", link_version=1)


def test_a_token_has_djangos_form_and_gives_its_number_back() -> None:
    token = make()

    assert token.split(":")[0] == "ORD-2024-001234"
    assert len(token.split(":")) == 3
    assert peek_number(token) == check(token) == "ORD-2024-001234"


@pytest.mark.parametrize("changes", [{"purpose": "guest-view"}, {"link_version": 2}])
def test_a_token_opens_only_what_it_was_made_for(changes: dict[str, object]) -> None:
    with pytest.raises(LinkInvalid):
        check(make(), **changes)


@pytest.mark.parametrize(
    ("seconds", "is_valid"),
    [
        (-WEEK.total_seconds() + 5, True),
        (-WEEK.total_seconds() - 5, False),
        (CLOCK_TOLERANCE - 2, True),
        (CLOCK_TOLERANCE + 5, False),
    ],
)
def test_a_token_lives_a_week_and_does_not_come_from_the_future(seconds: float, is_valid: bool) -> None:
    with mock.patch("time.time", return_value=time.time() + seconds):
        token = make()

    if is_valid:
        assert check(token) == "ORD-2024-001234"
    else:
        with pytest.raises(LinkInvalid):
            check(token)


@given(st.text(max_size=80))
def test_no_text_breaks_the_check(text: str) -> None:
    peek_number(text)
    with pytest.raises(LinkInvalid):
        check(text)


@given(position=st.integers(0, 60), email=st.sampled_from("AZaz09-_:"))
def test_no_changed_letter_passes(position: int, email: str) -> None:
    token = make()
    position %= len(token)
    changed = token[:position] + email + token[position + 1 :]
    if changed != token:
        with pytest.raises(LinkInvalid):
            check(changed)
