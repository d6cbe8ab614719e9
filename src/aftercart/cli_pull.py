"""`aftercart pull-orders`: a part of the command line (cli.py)."""

import sys
import time
from datetime import UTC, datetime

import click

from aftercart.command_setup import django_ready


@click.command("pull-orders")
@click.option("--since", required=True, help="The earliest time, as in 2026-01-01 or 2026-01-01T12:00 (UTC).")
@click.option("--channel", type=int, help="A channel other than OMNITRON_CHANNEL_ID.")
def pull_orders_command(since: str, channel: int | None) -> None:
    """Fill the database with a channel's orders from the OMS, the oldest first.

    Run it again with the same --since, and it goes on where it was. It makes no more calls than
    OMNITRON_READS_PER_MINUTE, a limit that it shares with the workers. The exit code is 1 when an order makes no
    sense; the others are in.
    """
    try:
        begin = datetime.fromisoformat(since)
    except ValueError:
        raise click.ClickException(
            f"{since} is not a day or a time. Write it like 2026-01-01 or 2026-01-01T12:00."
        ) from None
    begin = begin if begin.tzinfo else begin.replace(tzinfo=UTC)
    with django_ready(takes_long=True):
        from django.conf import settings
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        from aftercart.actions.intake.backfill_orders import backfill_orders
        from aftercart.commerce.client import CommerceUnavailable
        from aftercart.oms.connect import get_client
        from aftercart.oms.errors import OmsError

        columns = (SpinnerColumn(), MofNCompleteColumn(), TextColumn("orders"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("pull", total=None)
            try:
                bad = backfill_orders(
                    begin,
                    settings.OMNITRON_CHANNEL_ID if channel is None else channel,
                    get_client(),
                    progress=lambda count: progress.advance(task, count),
                    wait=lambda: time.sleep(0.5),
                )
            except OmsError as error:
                message = f"{error.detail} Run the same command again to continue."
                raise click.ClickException(message) from None
            except CommerceUnavailable as error:
                message = f"The shop did not complete an order ({error.code}). Run the same command again to continue."
                raise click.ClickException(message) from None
            done = int(progress.tasks[task].completed)
    click.echo(f"{done} orders read from Omnitron.")
    for number, reason in bad.items():
        click.echo(f"{number}: {reason}", err=True)
    sys.exit(1 if bad else 0)
