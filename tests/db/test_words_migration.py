"""Words are made faster, and are the same: an index made of those before holds."""

import importlib

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

TEXTS: list[list[str | None]] = [
    ["ORD-2026-000042", "Ayse.Kaya@example.com", "İSTANBUL IŞIK ÖĞÜÇÂÎÛ", None, "~7654321235"],
    ["a-b_c.d/e@f+g,h;i:j(k)l&m#n|o'p\"q", "  two  spaces\tand\r\nlines ", ""],
    ["ẞß ﬁ Ǆ ı i I İ", "日本語 한국어", "\\' \\\\ %s"],
    ["", None],
    ["x" * 2000],
]


def test_the_words_are_those_that_were_made_before() -> None:
    migration = importlib.import_module("aftercart.accounts.migrations.0009_words_are_made_faster")
    before = migration.AS_BEFORE.partition("DROP")[0]
    for name in ("search_fold", "search_words"):
        before = before.replace(name, f"{name}_before")
    with connection.cursor() as cursor:
        cursor.execute(before)
        for text in TEXTS:
            cursor.execute("SELECT search_words(VARIADIC %s), search_words_before(VARIADIC %s)", [text, text])
            now, then = cursor.fetchone()
            assert now == then, text
