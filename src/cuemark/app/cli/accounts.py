"""``cuemark account``: ``create``, ``login-link``, ``log-out`` and ``reset-factors``."""

import secrets
import sys

import click
import msgspec

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder


class AccountView(msgspec.Struct, frozen=True):
    account_id: str
    email: str
    profile_name: str


class LinkView(msgspec.Struct, frozen=True):
    code: str
    url: str
    expires_at: str


class EndedView(msgspec.Struct, frozen=True):
    ended: int


@click.command()
@click.argument("email")
@click.option("--name", default="", help="The name of the account's first profile.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--json", "as_json", is_flag=True)
def create(folder: DataFolder, email: str, name: str, password_stdin: bool, as_json: bool) -> None:
    """Create a member's account; a password is made and shown once unless one is given."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    made = "" if password else secrets.token_urlsafe(12)
    body = {"email": email, "password": password or made, "profile_name": name}
    with Operator(folder) as operator:
        account = operator.post("/accounts", body, AccountView)
    if as_json:
        secret = {"password": made} if made else {}
        print_json(msgspec.structs.asdict(account) | secret)
        return
    plain.print(f"{as_is(account.email)} can log in now.")
    if made:
        plain.print(f"Password: {made}")


@click.command("login-link")
@click.argument("email")
@click.option("--create", is_flag=True, help="Make the account where there is none.")
@click.option("--json", "as_json", is_flag=True)
def login_link(folder: DataFolder, email: str, create: bool, as_json: bool) -> None:
    """Make a link that logs a member in once, within the hour."""
    with Operator(folder) as operator:
        link = operator.post("/login-links", {"email": email, "create": create}, LinkView)
    if as_json:
        print_json(link)
    else:
        plain.print(link.url, soft_wrap=True)


@click.command("log-out")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True)
def log_out(folder: DataFolder, email: str, as_json: bool) -> None:
    """End every login of a member, within a second everywhere."""
    with Operator(folder) as operator:
        done = operator.post("/accounts/log-out", {"email": email}, EndedView)
    if as_json:
        print_json(done)
    else:
        plain.print(f"{done.ended} ended.")


@click.command("reset-factors")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True)
def reset_factors(folder: DataFolder, email: str, as_json: bool) -> None:
    """Take app, passkeys and recovery codes off an account, and log its member out everywhere.

    Find out first who asks: from then on the password alone lets in.
    """
    with Operator(folder) as operator:
        done = operator.post("/accounts/factors-reset", {"email": email}, EndedView)
    if as_json:
        print_json(done)
    else:
        plain.print(f"{as_is(email)} logs in with the password alone now.")
