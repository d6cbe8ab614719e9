"""Reading the fields of a document as they are declared: at once, and once more one by one for all that is wrong."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from aftercart.orders.intake.values import Document, DocumentInvalid, read_field

_Reader = Callable[[Any], Any]
_T = TypeVar("_T")


class Form:
    """Some fields of a kind of document, each with the function that reads its value.

    Where a document has no such field, or null, most readers return the same for every document, which is found out
    once. Those of `always` want the field to be there; those of `whole` are given the document, and name what is wrong.
    """

    def __init__(
        self, fields: Mapping[str, _Reader], *, always: Collection[str] = (), whole: Collection[str] = ()
    ) -> None:
        self.fields: Final = dict(fields)
        self._always: Final = tuple((name, fields[name]) for name in always)
        self._whole: Final = {name: fields[name] for name in whole}
        self._if_there: Final = {
            name: read for name, read in fields.items() if name not in always and name not in whole
        }
        self._blank: Final = {name: read(None) for name, read in self._if_there.items()}

    def read(self, document: Document) -> Document:
        """Return all values by name. Raises `DocumentInvalid` for the first that is wrong."""
        values = self._blank.copy()
        find = self._if_there.get
        name = ""
        try:
            for name, value in document.items():
                if value is not None and (read := find(name)) is not None:
                    values[name] = read(value)
            for name, read in self._always:
                values[name] = read(document.get(name))
        except DocumentInvalid as error:
            raise error.within(name) from None
        for name, read in self._whole.items():
            values[name] = read(document)
        return values

    def read_one(self, document: Document, name: str) -> Any:
        """Return one value. Raises `DocumentInvalid`."""
        read = self.fields[name]
        return read(document) if name in self._whole else read_field(document, name, read)


class Problems:
    """Gathers everything that is wrong with a document, where a single error would end the reading."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    @contextmanager
    def noted(self, place: str = "") -> Iterator[None]:
        """Note what is wrong within the block, which ends there; `place` goes before the fields' names."""
        try:
            yield
        except DocumentInvalid as error:
            self._found += (error.within(place) if place else error).problems

    def read(self, document: Document, form: Form) -> Document:
        """Read every field; return what could be read, by name."""
        try:
            return form.read(document)
        except DocumentInvalid:  # then one by one, for all that is wrong
            values: Document = {}
        for name in form.fields:
            with self.noted():
                values[name] = form.read_one(document, name)
        return values

    def end(self) -> None:
        """Raise `DocumentInvalid` for all that was noted, if anything was."""
        if self._found:
            first, *more = self._found
            raise DocumentInvalid(*first, *more)


def read_each(rows: Sequence[Document], name: str, read: Callable[[Document], _T]) -> list[_T]:
    """Read the rows of a list. Raises `DocumentInvalid` for all that is wrong, naming each row by its place."""
    try:
        return [read(row) for row in rows]
    except DocumentInvalid:
        problems = Problems()
    for place, row in enumerate(rows):
        with problems.noted(f"{name}[{place}]"):
            read(row)
    problems.end()
    raise AssertionError  # what is wrong once is wrong twice
