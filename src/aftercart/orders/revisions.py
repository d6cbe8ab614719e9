"""The triggers that move revisions (see `StoredDocument`), as SQL for migrations: change nothing here that has run.

A trigger and not the code that writes: nobody can forget it, and what an operator types into psql moves it, too. They
fire when a transaction commits, so that a revision is locked last and not for long, and nobody waits for it meanwhile.
"""

from collections.abc import Sequence

_OF_ORDERS = """
CREATE FUNCTION {table}_revise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders_orderrevision SET revision = revision + 1 WHERE order_id IN ({of_old}, {of_new});
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER {table}_revise AFTER {events} OF {columns} ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {table}_revise();
"""
_OF_ALL = """
CREATE CONSTRAINT TRIGGER {table}_revise_shared AFTER INSERT OR DELETE OR UPDATE{columns} ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION orders_revise_shared();
"""


def revise_orders(
    table: str,
    columns: Sequence[str],
    *,
    order: str = "{row}.order_id",
    events: str = "INSERT OR DELETE OR UPDATE",
) -> tuple[str, str]:
    """Return the SQL that has writes to a table move the revision of the orders that its rows belong to, and undoes it.

    `order` is an expression for the order's id, `{row}` the row; `columns` are those of which a change is shown.
    """
    old, new = (order.format(row=row) for row in ("OLD", "NEW"))
    made = _OF_ORDERS.format(table=table, columns=", ".join(columns), events=events, of_old=old, of_new=new)
    return made, f"DROP FUNCTION {table}_revise() CASCADE;"


def revise_all(table: str, columns: Sequence[str] = ()) -> tuple[str, str]:
    """Return the SQL that has writes to a table move the shared revision, and undoes it; no columns: all."""
    named = f" OF {', '.join(columns)}" if columns else ""
    return _OF_ALL.format(table=table, columns=named), f"DROP TRIGGER {table}_revise_shared ON {table};"
