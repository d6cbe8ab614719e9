"""The database between tests."""

from django.db import connection

#: Only what is not empty: truncating all takes far longer, and most tests fill a few tables. What migrations and
#: Django themselves fill, and no test changes, is kept.
_EMPTY = """
DO $$
DECLARE
    name text;
    is_filled boolean;
    filled text[] := '{}';
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
        AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO is_filled;
        IF is_filled THEN
            filled := filled || quote_ident(name);
        END IF;
    END LOOP;
    IF cardinality(filled) > 0 THEN
        EXECUTE 'TRUNCATE ' || array_to_string(filled, ', ') || ' CASCADE';
    END IF;
END
$$
"""


def empty_tables() -> None:
    """Empty all tables, those of the queue included, which Django's flush does not know."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)


def empty_queue() -> None:
    """Forget all jobs and workers."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
