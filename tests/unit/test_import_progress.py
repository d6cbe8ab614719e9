"""How many orders a file may have, told by what has been read of it."""

import pytest

from aftercart.run import TotalGuess

LINES = [b"123456789"] * 100
SIZE = 1000


def read(guess: TotalGuess, count: int, lines: list[bytes] = LINES) -> None:
    assert sum(1 for _ in guess.watch(lines[:count])) == count


def test_the_total_is_guessed_by_the_lines_read_and_not_by_those_imported() -> None:
    guess = TotalGuess(SIZE)
    read(guess, 30)
    assert guess.find_total(10) == 100
    read(guess, 70)
    assert guess.find_total(80) == 100


def test_a_line_end_that_is_missing_is_not_counted() -> None:
    guess = TotalGuess(SIZE - 1)
    read(guess, 30)
    assert guess.find_total(10) == 100
    read(guess, 70)
    assert guess.find_total(100) == 100


def test_of_a_text_that_is_read_whole_what_is_done_is_what_is_known() -> None:
    guess = TotalGuess(SIZE)
    read(guess, 100)
    assert [guess.find_total(done) for done in (3, 6)] == [3, 6]


@pytest.mark.parametrize("count", [0, 50])
def test_of_a_pipe_nothing_is_known(count: int) -> None:
    guess = TotalGuess(0)
    read(guess, count)
    assert guess.find_total(10) is None
