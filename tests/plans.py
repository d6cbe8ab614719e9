"""The plans of the statements of a piece of work, as PostgreSQL makes and follows them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

#: What stays as small as a shop's catalogue of reasons, places and rights, however many orders come; of the queue, the
#: workers that live; of failed log-ins, those that still count. All other tables grow.
SMALL: Final = frozenset(
    {
        "accounts_apitoken", "accounts_city", "accounts_country", "accounts_district", "accounts_township",
        "axes_accessattempt", "axes_accessattemptexpiration", "axes_accessfailurelog", "auth_group",
        "auth_group_permissions", "auth_permission", "accounts_user_groups",
        "accounts_user_user_permissions", "cancellations_cancellationreason", "cancellations_easyreturncompany",
        "cancellations_installation", "cancellations_policyrule", "cancellations_policyversion",
        "cancellations_readbudget", "cancellations_returninstructions", "cancellations_sendinghold",
        "cancellations_setback",
        "cancellations_synccursor", "cancellations_withdrawalpolicy", "django_content_type", "django_migrations",
        "orders_sharedrevision", "procrastinate_periodic_defers", "procrastinate_workers", "worker_lease",
    }
)  # fmt: skip
_READS: Final = ("SELECT", "WITH")
_PLANNED: Final = (*_READS, "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Visit:
    """How a statement goes through a table: by which kind of scan, and over how many rows of it."""

    table: str
    scan: str
    rows: int
    sql: str

    def __str__(self) -> str:
        return f"{self.scan} of {self.table}, {self.rows} rows: {self.sql[:600]}"


@dataclass(slots=True)
class Plans:
    """What was looked at, of tables that grow."""

    visits: list[Visit] = field(default_factory=list)
    statements: int = 0

    def list_scans(self) -> list[str]:
        """List the sequential scans: there should be none."""
        return [str(visit) for visit in self.visits if visit.scan == "Seq Scan"]

    def list_walks(self, most: int) -> list[str]:
        """List the visits of more rows than so many, by whatever way."""
        return [str(visit) for visit in self.visits if visit.rows > most]


@contextmanager
def explaining() -> Iterator[Plans]:
    """Have each statement of this thread explained; one that only reads is followed, so that its rows are counted."""
    plans = Plans()

    def explain(execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
        text = str(sql).strip()
        if text.upper().startswith(_PLANNED) and not many:
            plans.statements += 1
            is_read = text.upper().startswith(_READS) and " FOR " not in text
            options = "ANALYZE, TIMING OFF, FORMAT JSON" if is_read else "FORMAT JSON"
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN ({options}) {text}", params)
                found = cursor.fetchone()[0]
            plan = json.loads(found) if isinstance(found, str) else found
            plans.visits.extend(_list_visits(plan[0]["Plan"], text))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield plans


def _list_visits(node: dict[str, Any], sql: str) -> Iterator[Visit]:
    table = node.get("Relation Name")
    if node["Node Type"] == "Bitmap Index Scan":
        table = None  # the heap scan above it names the table
    if table is not None and table not in SMALL and not table.startswith("pg_"):
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        loops = node.get("Actual Loops", 1)
        rows = node.get("Actual Rows", node["Plan Rows"])
        yield Visit(table, node["Node Type"].removeprefix("Parallel "), round((rows + removed) * loops), sql)
    for child in node.get("Plans", ()):
        yield from _list_visits(child, sql)
