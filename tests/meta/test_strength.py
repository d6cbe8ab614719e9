"""What a turn decides: what Hypothesis tries, and what of a deep run is run."""

from hypothesis import core, given
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from tests.parts import PARTS, cut, weigh
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


def test_the_parts_of_a_deep_run_are_all_of_it_and_of_about_the_same_weight() -> None:
    names = [
        *(f"faults/test_trial.py::test_a_fault_put_into_aftercart_is_found[{n}]" for n in range(6)),
        *(f"browser/test_journeys_in_a_browser.py::test_a_customer_looks_around[{n}]" for n in range(100)),
        *(f"storefront/test_storefront_in_a_browser.py::test_{n}" for n in range(26)),
    ]

    parts = cut(names)

    assert len(parts) == PARTS
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert parts == cut(reversed(names))
    assert max(map(weigh, parts)) - min(map(weigh, parts)) <= max(weigh([name]) for name in names)
    assert sum(any("storefront" in name for name in part) for part in parts) == 1, "it is set up once"
