"""The database between tests."""

from django.db import connection

#: What migrations and Django themselves fill, and no test changes, is kept. To delete the few rows of a test takes a
#: tenth of the time of TRUNCATE, which makes new files for each table and index. As a replica applies changes, no
#: trigger fires: neither those that check foreign keys nor those that keep a history whole. Only a superuser may.
_EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
        AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
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
