"""`backfile token`: secrets by which programs act for a user."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from rag.rights import Rights
from rag.sanitize import single_line
from rag.settings import Settings
from ui.cli.account_options import GRANTS, grant_options, rights_text
from ui.cli.command import Example, ExitCode, ManualGroup, usage_error
from ui.cli.granted_names import warn_of_unknown_names
from ui.cli.options import Date, archive_options

if TYPE_CHECKING:
    from ui.accounts.types import Token


@click.group(
    cls=ManualGroup,
    invoke_without_command=True,
    examples=[
        Example("List the tokens", "backfile token"),
        Example(
            "Make a token for a script that searches",
            'backfile token add ada "nightly report" --scope read --expires 2030-01-01',
        ),
        Example("Revoke it, by the ID of the list", "backfile token revoke 5f0c1d9a3b7e2468"),
    ],
)
@archive_options
@click.pass_context
def token(context: click.Context, settings: Settings, as_json: bool) -> int:
    """List the tokens by which programs act for users.

    A program sends its token in the header `Authorization: Bearer bf_...` or `X-Api-Key`. Only a
    hash of it is kept.
    """
    if context.invoked_subcommand is None:
        return _list(settings, as_json=as_json)
    return ExitCode.DONE


@token.command(name="list", examples=[Example("List as JSON", "backfile token list --json")])
@archive_options
def list_tokens(settings: Settings, as_json: bool) -> int:
    """List the tokens: their users, what they may do, and when they were used."""
    return _list(settings, as_json=as_json)


@token.command(
    notes=[GRANTS],
    examples=[
        Example(
            "Make a token for a script that searches one publisher's articles",
            'backfile token add ada "nightly report" --scope read --publisher "Harbour Courier"',
        )
    ],
)
@click.argument("user", help="Name of the user for whom it acts.")
@click.argument("name", help="What it is for.")
@click.option("--expires", type=Date(), metavar="DATE", help="Refuse it from then on.")
@grant_options
@archive_options
def add(
    user: str,
    name: str,
    expires: datetime | None,
    scopes: tuple[str, ...],
    rights: Rights | None,
    settings: Settings,
    as_json: bool,
) -> int:
    """Make a token, and print it; it can't be shown again.

    It may do and see what its user may, or less if options say so, never more: not even when the
    user is given more or less later.
    """
    from ui.accounts.opening import open_accounts
    from ui.render import json_line

    made, secret = open_accounts(settings).make_token(
        user, name, scopes=scopes, rights=rights, expires=expires
    )
    _record(settings, "made the token", made)
    warn_of_unknown_names(settings, rights)
    if as_json:
        print(json_line({"token": made.to_dict(), "secret": secret}))
    else:
        print(secret)
    return ExitCode.DONE


@token.command(
    examples=[Example("Revoke a token", "backfile token revoke 5f0c1d9a3b7e2468")],
)
@click.argument("token_id", metavar="ID", help="ID of the token, as `backfile token` lists it.")
@archive_options
def revoke(token_id: str, settings: Settings, as_json: bool) -> int:
    """Revoke a token for good."""
    from ui.accounts.opening import open_accounts
    from ui.render import json_line

    if token_id.startswith("bf_"):
        raise usage_error("ID is the token's ID, not its secret: see `backfile token list`")
    revoked = open_accounts(settings).store.revoke_token(token_id)
    _record(settings, "revoked the token", revoked)
    if as_json:
        print(json_line({"revoked": revoked.to_dict()}))
    else:
        print(single_line(f"Revoked {revoked.name} of {revoked.user.name}"))
    return ExitCode.DONE


def _record(settings: Settings, what: str, one: Token) -> None:
    from ui.cli.operator import record_command

    record_command(settings, "account", what=f"{what} {one.name} of {one.user.name}")


def _list(settings: Settings, *, as_json: bool) -> int:
    from ui.accounts.opening import open_accounts
    from ui.render import json_line

    tokens = open_accounts(settings).store.tokens()
    if as_json:
        print(json_line({"tokens": [one.to_dict() for one in tokens]}))
        return ExitCode.DONE
    for one in tokens:
        now = one.reader  # what it may do today, which its user's scopes limit
        parts = [
            ", ".join(sorted(now.scopes)) or "nothing any more",
            rights_text(now.rights),
            f"expires {one.expires:%Y-%m-%d %H:%M}" if one.expires else "",
            f"used {one.used:%Y-%m-%d %H:%M}" if one.used else "never used",
        ]
        facts = "; ".join(filter(None, parts))
        print(single_line(f"{one.id}  {one.user.name}, {one.name}: {facts}"))
    if not tokens:
        print("No tokens. Make one with `backfile token add USER NAME`.")
    return ExitCode.DONE
