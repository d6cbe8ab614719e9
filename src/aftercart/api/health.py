"""Is it alive, is it ready: for supervisors and load balancers. No session, no secret, no cache."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from aftercart.worker.queue import measure_queue


@require_safe
def live(_request: HttpRequest) -> HttpResponse:
    """Answer as long as the process does."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers and has all migrations, else 503 with what is missing.

    The queue's lag is told, not judged: taking web servers away does not help a queue without workers.
    """
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            return JsonResponse({"status": "migrations", "pending": len(pending)}, status=503)
        queue = measure_queue()
    except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready
        return JsonResponse({"status": "database", "detail": type(error).__name__}, status=503)
    body = {"status": "ok", "queue": {"due": queue.due, "lag_seconds": round(queue.lag_seconds, 1)}}
    return JsonResponse(body | {"workers": queue.workers})
