"""What a turn decides: what Hypothesis tries."""

from hypothesis import core, given
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from tests.strength import examples, find_turn


def list_tried() -> list[tuple[int, str]]:
    tried = []

    @examples(200, database=None)
    @given(st.integers(), st.text())
    def try_one(number: int, text: str) -> None:
        tried.append((number, text))

    try_one()
    return tried


def test_the_turn_alone_decides_what_is_tried() -> None:
    assert str(core.global_force_seed) == str(find_turn())
    assert list_tried() == list_tried()
    assert providers._get_local_constants() == Constants()
