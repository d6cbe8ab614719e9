"""The command line. Django is set up late, so that `--help` is quick."""

import json
import logging
import os
import sys

import click

from aftercart.cli_pull import pull_orders_command
from aftercart.cli_token import token
from aftercart.command_setup import close_connections as _close_connections
from aftercart.command_setup import django_ready as _django

_EPILOG = "Every setting is an environment variable; the README lists them. `aftercart doctor` finds faults."


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aftercart")
def main() -> None:
    """Order self-service that never loses a cancellation.

    \b
    A first look:    aftercart run
    In production:   aftercart web      one or more, behind a proxy
                     aftercart worker   one or more, on any machine
    """  # noqa: D301 - \b is click's way to keep the lines


@main.command()
@click.option(
    "-v", "--verbose", is_flag=True, help="Show everything that the processes log, not only warnings."
)
def run(*, verbose: bool) -> None:
    """Run everything on this machine: database, OMS sandbox, web, worker, demo data.

    It keeps everything in AFTERCART_VAR (./var). DATABASE_URL and OMNITRON_URL replace the embedded PostgreSQL and
    the sandbox with real ones. Ctrl-C stops everything.
    """
    if not verbose:
        os.environ.setdefault("LOG_LEVEL", "WARNING")  # a worker's everyday lines would bury what to open
    with _django(database=False, takes_long=True):
        from aftercart.run import run_all

        sys.exit(run_all())


@main.command()
def web() -> None:
    """Serve customers and back office over HTTP (Granian), until SIGTERM."""
    with _django(database=False):
        from aftercart.actions.sync.watch_restores import watch_restores_if_possible
        from aftercart.processes import raise_descriptor_limit, web_command

        command = web_command()
        raise_descriptor_limit()
        watch_restores_if_possible()
        _close_connections()
    os.execv(command[0], command)  # noqa: S606 - our own program takes this process over


@main.command()
def worker() -> None:
    """Do the background work: verify lost answers, deliver requests, sync decisions.

    Run as many as you like, on as many machines as you like; PostgreSQL keeps them apart.
    """
    with _django():
        from aftercart.worker.serve import serve

        serve()


@main.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> None:
    """Serve the OMS sandbox, a server of its own; `aftercart sandbox --help` lists its options."""
    with _django(database=False):
        from aftercart.processes import sandbox_command

        command = sandbox_command(arguments)
    os.execv(command[0], command)  # noqa: S606 - our own program and arguments


@main.command()
def migrate() -> None:
    """Bring the database's tables up to date; `run` does it by itself."""
    with _django(takes_long=True):
        from django.core.management import call_command

        call_command("migrate", interactive=False)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print what var/demo.json holds.")
def demo(*, as_json: bool) -> None:
    """Show the demo's log-ins and orders; make the demo data first if the database is empty."""
    with _django(takes_long=True):
        from aftercart.run import describe_demo, prepare_database, summarise

        prepare_database()
        summary = summarise()
    if as_json:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        describe_demo(summary)


@main.command("import-orders")
@click.argument("file")
def import_orders_command(file: str) -> None:
    """Read orders from FILE (`-`: standard input): JSON Lines of order documents, gzip too.

    An order that already exists is updated if the file's `modified_date` is newer. Lines that make no sense are
    listed in a file beside the input, with their number and the reason; the good ones go in all the same, and the
    exit code is 1.
    """
    with _django(takes_long=True):
        from aftercart.run import describe_import, import_file

        try:
            result = import_file(file)
        except OSError as error:
            raise click.ClickException(f"{file}: {error.strerror or error}") from error
        click.echo(describe_import(result, file))
    sys.exit(1 if result.bad else 0)


@main.command()
@click.argument("number")
@click.option(
    "--purpose",
    type=click.Choice(["completed", "guest-view", "guest-cancel"]),
    default="completed",
    show_default=True,
    help="What the link allows.",
)
@click.option("--revoke", is_flag=True, help="Revoke every link to this order instead.")
@click.option("--mail", is_flag=True, help="E-mail the link to the order's customer or guest instead.")
@click.option("--reminder", is_flag=True, help="With --mail: as a reminder, with a link to unsubscribe.")
def link(number: str, purpose: str, *, revoke: bool, mail: bool, reminder: bool) -> None:
    """Print a signed link to the order NUMBER."""
    with _django():
        from aftercart.actions.account.mail_order_link import mail_order_link
        from aftercart.actions.account.revoke_links import revoke_links
        from aftercart.orders.errors import OrderNotFound
        from aftercart.orders.selectors import make_link

        try:
            if revoke:
                revoke_links(number)
                click.echo(f"All links to {number} are revoked.")
            elif mail:
                mail_order_link(number, is_reminder=reminder)
                click.echo(f"An e-mail about {number} is in the outbox.")
            else:
                click.echo(make_link(number, purpose=purpose))  # type: ignore[arg-type]  # click has checked the choice
        except OrderNotFound:
            raise click.ClickException(f"There is no order {number}.") from None


@main.command("rotate-keys")
def rotate_keys_command() -> None:
    """Re-encrypt account numbers with the newest key, so that older keys can be removed.

    It can run while customers and workers go on, and as often as you like. The exit code is 1 if no key opens
    some of the values.
    """
    with _django(takes_long=True):
        from aftercart.run import describe_rotation, rotate_with_progress

        result = rotate_with_progress()
        click.echo(describe_rotation(result))
    sys.exit(1 if result.lost else 0)


@main.group()
def policy() -> None:
    """Show the policy, and explain what it says of an order.

    Staff edit and publish it in the back office; without a published one the settings make it.
    """


_VERSION = click.option("--version", "number", type=int, help="A version other than the one in force.")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")


@policy.command("show")
@_VERSION
@_AS_JSON
def show_policy(number: int | None, *, as_json: bool) -> None:
    """Print the policy in force, its clauses in the order in which they are looked at."""
    with _django():
        from rich.console import Console

        from aftercart import policy_report

        try:
            book = policy_report.get_version_book(number, policy_report.read_time(None))
        except policy_report.VersionUnknown:
            raise click.ClickException(f"There is no policy version {number}.") from None
        if as_json:
            click.echo(policy_report.write_policy(book))
        else:
            policy_report.print_policy(book, Console())


@policy.command("explain")
@click.argument("order")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["cancel", "refund", "address_change"]),
    help="What is asked for; by default what each item's status suggests.",
)
@click.option(
    "--at",
    help="At this time, as in 2026-11-25T12:00 (UTC), by the policy in force then; the order as it is now.",
)
@_VERSION
@_AS_JSON
def explain_policy(
    order: str, kind: str | None, at: str | None, number: int | None, *, as_json: bool
) -> None:
    """Say what the policy says of ORDER (its number), which clause decides, and why the others do not."""
    with _django():
        from rich.console import Console

        from aftercart import policy_report
        from aftercart.orders.errors import OrderNotFound

        try:
            explained = policy_report.explain_number(order, kind, policy_report.read_time(at), number)  # type: ignore[arg-type]  # click has checked the choice
        except OrderNotFound:
            raise click.ClickException(f"There is no order {order}.") from None
        except policy_report.VersionUnknown:
            raise click.ClickException(f"There is no policy version {number}.") from None
        except ValueError:
            raise click.ClickException(f"{at} is not a time. Write it like 2026-11-25T12:00.") from None
        if as_json:
            click.echo(policy_report.write_explanation(explained))
        else:
            policy_report.print_explanation(explained, Console())


@main.group()
def reasons() -> None:
    """Compare the cancellation reasons with the OMS's; a worker does it once a day, too."""


@reasons.command("sync")
@click.option("--channel", type=int, help="A channel other than OMNITRON_CHANNEL_ID.")
@_AS_JSON
def sync_reasons_command(channel: int | None, *, as_json: bool) -> None:
    """Find each reason's counterpart in the OMS, and report those without one; the exit code is then 1."""
    with _django():
        from rich.console import Console

        from aftercart import policy_report
        from aftercart.actions.sync.sync_reasons import sync_reasons
        from aftercart.oms.connect import get_client
        from aftercart.oms.errors import OmsError

        try:
            report = sync_reasons(get_client(), channel)
        except OmsError as error:
            raise click.ClickException(error.detail) from None
        if as_json:
            click.echo(policy_report.write_report(report))
        else:
            policy_report.print_report(report, Console())
    sys.exit(1 if report.problems else 0)


@main.command()
@click.option(
    "--before-sending",
    is_flag=True,
    help="After a restore: send nothing until all that may have changed since the backup has been read.",
)
def reconcile(*, before_sending: bool) -> None:
    """Compare open orders with the OMS; a worker does it once a day, too.

    After a restore, run it with --before-sending before the processes are started. If it is interrupted, run it
    again: it goes on where it was. The exit code is 1, and sending stays on hold, while anything could not be read.
    """
    with _django():
        from aftercart.actions.sync.reconcile_before_sending import reconcile_before_sending
        from aftercart.actions.sync.reconcile_orders import reconcile_orders
        from aftercart.oms.connect import get_client

        if not before_sending:
            counts = reconcile_orders(get_client())
            click.echo(", ".join(f"{count} {what}" for what, count in counts.items()))
            sys.exit(1 if counts["unread"] else 0)
        click.echo("Sending is on hold.")
        result = reconcile_before_sending(get_client(), say=_say_progress)
    click.echo(f"{result.orders} orders read, {result.settled} things found done, {result.different} differ.")
    for what in result.unread:
        click.echo(f"Not read: {what}", err=True)
    click.echo("Sending has resumed." if result.is_whole else "Sending stays on hold: run this again.")
    sys.exit(0 if result.is_whole else 1)


def _say_progress(done: int, of_all: int) -> None:
    if done % 50 == 0 or done == of_all:
        click.echo(f"{done} of {of_all} orders read")


@main.command("hold-sending")
@click.option("--release", is_flag=True, help="Resume sending, without reading Omnitron first.")
@click.option("--reason", default="By an operator.", show_default=True)
def hold_sending_command(reason: str, *, release: bool) -> None:
    """Stop sending to the OMS: cancellations become requests, and what staff decide waits."""
    with _django():
        from aftercart.actions.sync.hold_sending import hold_sending, release_sending

        if release:
            click.echo("Sending has resumed." if release_sending() else "Sending was not on hold.")
        else:
            click.echo(f"Sending is on hold since {hold_sending(reason).since:%Y-%m-%d %H:%M} (UTC).")


@main.command()
def doctor() -> None:
    """Check configuration, secret, database, migrations, clock, queue and the OMS; say how to fix each."""
    from aftercart.lib.configuration import Configuration

    problems = Configuration().list_problems()
    for problem in problems:
        _print_diagnosis("configuration", problem, is_fine=False)
    if problems:  # then nothing else can be looked at
        sys.exit(1)
    with _django():
        from aftercart.doctor import examine

        logging.getLogger("aftercart").setLevel(logging.WARNING)
        is_well = True
        for diagnosis in examine():
            is_well = is_well and diagnosis.is_fine
            _print_diagnosis(diagnosis.name, diagnosis.finding, diagnosis.cure, is_fine=diagnosis.is_fine)
    sys.exit(0 if is_well else 1)


def _print_diagnosis(name: str, finding: str, cure: str = "", *, is_fine: bool) -> None:
    mark = click.style("ok  ", fg="green") if is_fine else click.style("FAIL", fg="red")
    click.echo(f"{mark} {name:<14} {finding}")
    if cure:
        click.echo(f"     {'':<14} fix: {cure}")


main.add_command(pull_orders_command)
main.add_command(token)

if __name__ == "__main__":
    main()
