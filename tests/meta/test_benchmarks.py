"""What is claimed of speed is what was measured."""

import json
import re

from bench.recorded import WATCHED, list_fallen, read_recorded
from bench.report import NAMES, TARGETS
from tests.meta.repository import README, ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"
TENS = "ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def read_times_usual() -> dict[str, float]:
    """Read how many times the usual way each is, from the section that a run writes."""
    section = DOCUMENT.read_text(encoding="utf-8").split("<!-- reads -->")[1].split("<!-- /reads -->")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line[:1] == "|"
    ]
    column = rows[0].index("times usual")
    return {row[0]: float(row[column].split()[0]) for row in rows[2:]}


def say(times: float) -> str:
    """Say a number of times in words, rounded down to tens."""
    return "a hundred" if 100 <= times < 110 else TENS[int(times // 10) - 1]


def test_the_readme_claims_what_was_measured() -> None:
    measured = read_times_usual()
    json_times, page_times = say(measured[NAMES["detail"]]), say(measured[NAMES["detail_html"]])
    claim = re.sub(r"\s+", " ", README.read_text(encoding="utf-8"))

    assert f"order's JSON was answered {json_times} times as often" in claim
    assert f"and its page {page_times} times" in claim


def test_what_is_recorded_is_what_the_document_says() -> None:
    recorded, measured = read_recorded(), read_times_usual()

    assert list(recorded) == list(WATCHED)
    for name in WATCHED:
        # The document rounds to whole numbers from ten on.
        assert (
            round(recorded[name]["usual rate"], 2 if measured[NAMES[name]] < 10 else 0)
            == measured[NAMES[name]]
        )


def test_what_is_watched_has_a_target() -> None:
    assert set(WATCHED) == {name for name, *_ in TARGETS}


def test_a_fall_by_a_third_is_one_in_all_ratios() -> None:
    recorded = {"list": {"usual rate": 30.0, "usual cost": 24.0, "bare rate": 0.6, "bare cost": 0.4}}

    def fall(**parts: float) -> list[str]:
        measured = {
            kind: was * parts.get(kind.replace(" ", "_"), 0.6) for kind, was in recorded["list"].items()
        }
        return list_fallen({"list": measured}, recorded)

    assert fall() == [
        (
            "list: usual rate 18.00, was 30.00, usual cost 14.40, was 24.00,"
            " bare rate 0.36, was 0.60, bare cost 0.24, was 0.40"
        )
    ]
    assert fall(usual_rate=0.7) == []
    assert fall(bare_cost=0.7) == []


def test_the_record_is_written_as_it_is_read() -> None:
    text = (ROOT / "bench" / "recorded.json").read_text()

    assert json.dumps(json.loads(text), indent=2) + "\n" == text
