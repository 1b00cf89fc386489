"""``cuemark staff`` and ``cuemark audit``: who runs the service, and what they did."""

import json
from pathlib import Path
from urllib.parse import quote, urlencode

import click
import msgspec
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.operations import OperatorLink
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.identity.logins import LoginsEnded
from cuemark.contracts.identity.staff import (
    Act,
    ActPage,
    StaffList,
    StaffMember,
    StaffToken,
    Verdict,
)

_json = click.option("--json", "as_json", is_flag=True)
_email = click.argument("email")


@click.command("add")
@_email
@click.argument("role")
@_json
def add(folder: DataFolder, email: str, role: str, as_json: bool) -> None:
    """Add somebody with the address EMAIL, in ROLE."""
    with Operator(folder) as operator:
        _say(operator.post("/staff", {"email": email, "role": role}, StaffMember), as_json)


@click.command("list")
@_json
def list_staff(folder: DataFolder, as_json: bool) -> None:
    """List who is of staff, and what the roles allow."""
    with Operator(folder) as operator:
        found = operator.get("/staff", StaffList)
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("Address", "Role", "Logins", "Id"):
        table.add_column(name, no_wrap=name == "Id")
    for each in found.staff:
        table.add_row(as_is(each.email), each.role, str(each.logins), each.staff_id)
    plain.print(table if found.staff else "There is nobody but the owner.")
    for name, allowed in found.roles.items():
        plain.print(f"[bold]{name}[/bold]: {', '.join(allowed)}", soft_wrap=True)


@click.command("role")
@_email
@click.argument("role")
@_json
def role(folder: DataFolder, email: str, role: str, as_json: bool) -> None:
    """Give somebody another ROLE. It holds from then on."""
    with Operator(folder) as operator:
        path = f"/staff/{_id_of(operator, email)}/role"
        _say(operator.put(path, {"role": role}, StaffMember), as_json)


@click.command("remove")
@_email
@_json
def remove(folder: DataFolder, email: str, as_json: bool) -> None:
    """Remove somebody, with every token and browser. What they did stays in the log."""
    with Operator(folder) as operator:
        member = operator.delete(f"/staff/{_id_of(operator, email)}", StaffMember)
    if as_json:
        print_json(member)
    else:
        plain.print(f"{as_is(member.email)} is of staff no more.")


@click.command("token")
@_email
@click.option("--days", type=click.IntRange(1, 365), default=30, show_default=True)
@click.option("--end", is_flag=True, help="End every token and browser instead.")
@_json
def token(folder: DataFolder, email: str, days: int, end: bool, as_json: bool) -> None:
    """Print a bearer token for the API, which is shown this once."""
    with Operator(folder) as operator:
        where = f"/staff/{_id_of(operator, email)}"
        if end:
            ended = operator.delete(f"{where}/logins", LoginsEnded)
            print_json(ended) if as_json else plain.print(f"{ended.ended} ended.")
            return
        made = operator.post(f"{where}/tokens", {"ttl_s": days * 86_400}, StaffToken)
    if as_json:
        print_json(made)
    else:
        plain.print(made.token, soft_wrap=True)


@click.command("link")
@_email
@_json
def link(folder: DataFolder, email: str, as_json: bool) -> None:
    """Print a link that opens the pages of operations once, within an hour, as somebody."""
    with Operator(folder) as operator:
        made = operator.post(f"/staff/{_id_of(operator, email)}/link", {}, OperatorLink)
    if as_json:
        print_json(made)
    else:
        plain.print(made.url, soft_wrap=True)


@click.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--before", type=click.IntRange(0), default=0, help="A number of the log.")
@_json
def list_acts(folder: DataFolder, limit: int, before: int, as_json: bool) -> None:
    """List what staff did, the latest first."""
    with Operator(folder) as operator:
        found = operator.get(f"/acts?{urlencode({'limit': limit, 'before': before})}", ActPage)
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("Number", "Time (UTC)", "Who", "Role", "Action", "Of what", "Result"):
        table.add_column(name, overflow="fold")
    for act in found.acts:
        table.add_row(
            str(act.number),
            f"{act.at:%Y-%m-%d %H:%M:%S}",
            as_is(act.who),
            act.role,
            act.action,
            as_is(act.subject),
            f"{act.result} {act.status or ''}",
        )
    plain.print(table if found.acts else "Nothing was done yet.")


@click.command("verify")
@click.option("--noted", default="", metavar="NUMBER:DIGEST", help="An entry noted elsewhere.")
@_json
def verify(folder: DataFolder, noted: str, as_json: bool) -> None:
    """Say whether the log is what was written; ends with 1 where it is not."""
    number, _, digest = noted.partition(":")
    if noted and not (number.isdecimal() and digest):
        raise click.BadParameter("write it as NUMBER:DIGEST, as this command prints it")
    query = urlencode({"number": number or "0", "digest": digest})
    with Operator(folder) as operator:
        verdict = operator.get(f"/acts/verdict?{query}", Verdict)
    if as_json:
        print_json(verdict)
    elif not verdict.fault:
        plain.print(f"{verdict.entries} entries, all as they were written. Note elsewhere:")
        plain.print(f"{verdict.entries}:{verdict.head}", soft_wrap=True)
    if verdict.fault:
        raise Failure(f"entry {verdict.first_wrong}: {verdict.fault}")


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_json
def export(folder: DataFolder, file: Path, as_json: bool) -> None:
    """Write the whole log into FILE, an entry a line, the oldest first."""
    acts: list[Act] = []
    with Operator(folder) as operator:
        before = 0
        while True:
            page = operator.get(f"/acts?{urlencode({'limit': 200, 'before': before})}", ActPage)
            acts += page.acts
            before = page.next_before
            if not before:
                break
    try:
        file.write_bytes(b"".join(msgspec.json.encode(act) + b"\n" for act in reversed(acts)))
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from error
    if as_json:
        print_json({"entries": len(acts), "file": str(file)})
    else:
        plain.print(f"{len(acts)} entries are in {as_is(str(file))}.")


def _id_of(operator: Operator, email: str) -> str:
    for member in operator.get("/staff", StaffList).staff:
        if member.email == email.lower():
            return quote(member.staff_id)
    raise Failure(f"nobody of staff has the address {json.dumps(email)}: see `cuemark staff list`")


def _say(member: StaffMember, as_json: bool) -> None:
    if as_json:
        print_json(member)
    else:
        plain.print(f"{as_is(member.email)}: {member.role}, {member.staff_id}")
