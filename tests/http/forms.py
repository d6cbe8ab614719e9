"""What a browser without JavaScript reads of a page, and would send of its forms."""

from typing import Any

from bs4 import BeautifulSoup, Tag


def read(answer: Any) -> BeautifulSoup:
    """Read an answer's page."""
    return BeautifulSoup(answer.content, "html.parser")


def read_fields(form: Tag | None) -> dict[str, Any]:
    """Read what would be sent of a form as it stands: a value for each name, or a list of several."""
    assert form is not None
    fields: dict[str, Any] = {}
    for field in form.select("input[name], select[name], textarea[name]"):
        name, value = str(field["name"]), _read_value(field)
        if value is None:
            continue
        there = fields.get(name)
        fields[name] = value if there is None else [*(there if isinstance(there, list) else [there]), value]
    return fields


def _read_value(field: Tag) -> str | None:
    """Read one field's value; None if it is not sent."""
    if field.name == "textarea":
        return field.get_text().strip()
    if field.name == "select":
        chosen = field.select_one("option[selected]") or field.select_one("option")
        return None if chosen is None else str(chosen["value"])
    if field["type"] in {"checkbox", "radio"} and not field.has_attr("checked"):
        return None
    return str(field.get("value", "on" if field["type"] == "checkbox" else ""))
