"""`aftercart token`: a part of the command line (cli.py)."""

import click

from aftercart.command_setup import django_ready


@click.group()
def token() -> None:
    """Make, list and revoke the tokens of programs that send orders to `POST /api/v1/orders/`."""


@token.command("create")
@click.argument("name")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=365,
    show_default=True,
    help="For how many days it is valid.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["orders:write"]),
    default=["orders:write"],
    show_default=True,
    help="What it may do.",
)
def create_token_command(name: str, days: int, scopes: tuple[str, ...]) -> None:
    """Print a new token. NAME says whose it is; the token cannot be shown again."""
    with django_ready():
        from datetime import timedelta

        from aftercart.accounts.models.api_tokens import create_token
        from aftercart.lib.clock import get_now

        row, secret = create_token(name, scopes, get_now() + timedelta(days=days))
        click.echo(secret)
        click.echo(f"{row.name}: {', '.join(row.scopes)}, until {row.expires_at:%Y-%m-%d}", err=True)


@token.command("list")
def list_tokens_command() -> None:
    """List the tokens by their first characters."""
    with django_ready():
        from aftercart.accounts.models.api_tokens import ApiToken

        for row in ApiToken.objects.all():
            state = (
                f"revoked {row.revoked_at:%Y-%m-%d}" if row.revoked_at else f"until {row.expires_at:%Y-%m-%d}"
            )
            used = f"last used {row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never used"
            click.echo(f"{row.prefix}…  {row.name}  {', '.join(row.scopes)}  {state}  {used}")


@token.command("revoke")
@click.argument("prefix")
def revoke_token_command(prefix: str) -> None:
    """Revoke the token that begins with PREFIX, as `list` shows it, at once."""
    with django_ready():
        from aftercart.accounts.models.api_tokens import revoke_token

        if not revoke_token(prefix.rstrip("…")):
            raise click.ClickException(f"No valid token begins with {prefix}.")
        click.echo("It is revoked.")
