"""The page that a visitor begins at."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

DEMO = {
    "customers": [{"email": "somebody@example.com", "password": "open-sesame"}],
    "staff": {"email": "desk@example.com", "password": "desk-12345"},
}


def read_home(settings: Any, var: Path, *, is_local: bool = True) -> str:
    settings.VAR, settings.IS_LOCAL = var, is_local
    answer = Client().get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_local_run_shows_the_log_ins_of_its_demo(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(DEMO))

    text = read_home(settings, tmp_path)

    assert [
        word in text for word in ("somebody@example.com", "open-sesame", "desk@example.com", "desk-12345")
    ] == [True] * 4


def test_production_shows_none_whatever_lies_there(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(DEMO))

    assert "open-sesame" not in read_home(settings, tmp_path, is_local=False)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"customers": []}', '{"customers": [{}]}'])
def test_a_demo_that_cannot_be_read_is_none(settings: Any, tmp_path: Path, content: str) -> None:
    (tmp_path / "demo.json").write_text(content)

    assert "This is a demo" not in read_home(settings, tmp_path)
