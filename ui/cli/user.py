"""`backfile user`: who may log in, and what they may do and see."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rag.rights import Rights
from rag.sanitize import single_line
from rag.settings import Settings
from rag.store.file_permissions import make_private_folder
from ui.cli.account_options import (
    GRANTS,
    RightsChange,
    change_options,
    grant_options,
    rights_text,
)
from ui.cli.command import Example, ExitCode, ManualGroup, usage_error
from ui.cli.granted_names import warn_of_unknown_names
from ui.cli.options import archive_options

if TYPE_CHECKING:
    from ui.accounts.accounts import Accounts
    from ui.accounts.types import User

_name_argument = click.argument("name", help="The user's name.")
PASSWORD = (
    "Password",
    "It is asked for twice, or read from standard input if that is not a terminal: one line, never "
    "an argument, which other users of the machine could see. It needs 10 characters.",
)


@click.group(
    cls=ManualGroup,
    invoke_without_command=True,
    examples=[
        Example("List the users", "backfile user"),
        Example("Add somebody who may read", "backfile user add ada"),
        Example(
            "Add somebody who may read one publisher's articles, also those for subscribers",
            'backfile user add ben --publisher "Harbour Courier" --access subscribers',
        ),
        Example("Keep somebody out, and end their sessions", "backfile user disable ben"),
    ],
)
@archive_options
@click.pass_context
def user(context: click.Context, settings: Settings, as_json: bool) -> int:
    """List the users of the page and the API.

    Once there is a user, everybody has to log in. Users are kept in the file users.sqlite3 in the
    archive's folder, which neither a backup nor an export includes; or with BACKFILE_RECORD in the
    record, for all of its servers.
    """
    if context.invoked_subcommand is None:
        return _list(settings, as_json=as_json)
    return ExitCode.DONE


@user.command(name="list", examples=[Example("List as JSON", "backfile user list --json")])
@archive_options
def list_users(settings: Settings, as_json: bool) -> int:
    """List the users."""
    return _list(settings, as_json=as_json)


@user.command(
    notes=[PASSWORD, GRANTS],
    examples=[
        Example("Add somebody who may read", "backfile user add ada"),
        Example(
            "Add somebody who may also add and remove articles, and see all of them",
            "backfile user add eva --scope read --scope ingest --every-access",
        ),
    ],
)
@_name_argument
@click.option("--no-password", is_flag=True, help="For a user whom a proxy names, or for tokens.")
@grant_options
@archive_options
def add(
    name: str,
    no_password: bool,
    scopes: tuple[str, ...],
    rights: Rights | None,
    settings: Settings,
    as_json: bool,
) -> int:
    """Add a user, with the scope read unless others are given."""
    accounts = _open(settings)
    _check_is_new(accounts, name)
    password = "" if no_password else ask_password()
    make_private_folder(settings.archive)
    warn_of_unknown_names(settings, rights)
    return _print(
        settings,
        "added",
        accounts.add_user(name, password, scopes or ("read",), rights),
        as_json=as_json,
    )


@user.command(
    name="change",
    notes=[GRANTS],
    examples=[
        Example(
            "Let somebody remove articles, too, of those that they see already",
            "backfile user change ben --scope read --scope ingest",
        ),
        Example(
            "Let somebody see all publishers' articles, but none that need a right",
            "backfile user change ben --every-publisher --no-access",
        ),
    ],
)
@_name_argument
@change_options
@archive_options
def change_user(
    name: str,
    scopes: tuple[str, ...],
    change: RightsChange,
    settings: Settings,
    as_json: bool,
) -> int:
    """Change what a user may do and see.

    Scopes, publishers, sections and access rights that are named replace those that they had, and
    what isn't named stays. It counts from their next request on, for their tokens too.
    """
    from ui.accounts.types import check_scopes

    accounts = _open(settings)
    found = accounts.store.user(name)
    granted = check_scopes(scopes) if scopes else found.scopes
    changed = accounts.store.change_user(found.id, granted, change.apply(found.rights))
    warn_of_unknown_names(settings, change.apply(Rights()))
    return _print(settings, "changed", changed, as_json=as_json)


@user.command(notes=[PASSWORD], examples=[Example("Set a password", "backfile user passwd ada")])
@_name_argument
@archive_options
def passwd(name: str, settings: Settings, as_json: bool) -> int:
    """Set a user's password, and end their sessions."""
    accounts = _open(settings)
    found = accounts.store.user(name)
    changed = accounts.set_password(found.id, ask_password())
    return _print(settings, "set the password of", changed, as_json=as_json)


@user.command(examples=[Example("Keep somebody out", "backfile user disable ben")])
@_name_argument
@archive_options
def disable(name: str, settings: Settings, as_json: bool) -> int:
    """Keep a user and their tokens out, and end their sessions."""
    changed = _open(settings).store.set_disabled(name, disabled=True)
    return _print(settings, "disabled", changed, as_json=as_json)


@user.command(examples=[Example("Let somebody in again", "backfile user enable ben")])
@_name_argument
@archive_options
def enable(name: str, settings: Settings, as_json: bool) -> int:
    """Let a disabled user and their tokens in again."""
    changed = _open(settings).store.set_disabled(name, disabled=False)
    return _print(settings, "enabled", changed, as_json=as_json)


def ask_password() -> str:
    """Return a new password from the terminal, or from standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise usage_error("the password is missing: write it to standard input")
    return password


def _open(settings: Settings) -> Accounts:
    from ui.accounts.opening import open_accounts

    return open_accounts(settings)


def _check_is_new(accounts: Accounts, name: str) -> None:
    """Fail before the password is asked for, not after."""
    from ui.accounts.accounts import clean_user_name
    from ui.accounts.types import AccountError

    if accounts.store.find_login(clean_user_name(name)):
        raise AccountError(f"There is already a user named {name!r}. Choose another name.")


def _print(settings: Settings, done: str, changed: User, *, as_json: bool) -> int:
    from ui.cli.operator import record_command
    from ui.render import json_line

    record_command(settings, "account", what=f"{done} {changed.name}")
    if as_json:
        print(json_line({"done": done, "user": changed.to_dict()}))
    else:
        print(f"{done.capitalize()} {single_line(changed.name)}: {_grant_text(changed)}")
    return ExitCode.DONE


def _grant_text(one: User) -> str:
    return f"{', '.join(sorted(one.scopes))}; {rights_text(one.rights)}"


def _list(settings: Settings, *, as_json: bool) -> int:
    from ui.render import json_line

    users = _open(settings).store.users()
    if as_json:
        print(json_line({"users": [one.to_dict() for one in users]}))
        return ExitCode.DONE
    for one in users:
        state = "  (disabled)" if one.disabled else "" if one.has_password else "  (no password)"
        print(single_line(f"{one.name}: {_grant_text(one)}{state}"))
    if not users:
        print("No users: everybody on this machine may ask. Add one with `backfile user add NAME`.")
    return ExitCode.DONE
