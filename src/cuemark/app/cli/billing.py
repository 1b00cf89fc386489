"""``cuemark billing``: what is sold, who paid, and the sandbox in which it is tried."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import get_args

import click
import msgspec
from babel.numbers import get_currency_precision, is_currency
from pyreqwest.client import SyncClientBuilder
from pyreqwest.exceptions import PyreqwestError
from rich.table import Table

from cuemark.app import settings
from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Down, Failure
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.times import UNIT_S, minute, moment, time_of
from cuemark.app.folder import DataFolder
from cuemark.app.system import install_on, sandbox_of
from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contracts.billing.invoices import Invoice, InvoicePage, Ledger
from cuemark.contracts.billing.plans import (
    Allowance,
    Coupon,
    Interval,
    Money,
    Plan,
    PlanList,
    Price,
    TaxRule,
)
from cuemark.contracts.billing.subscriptions import ClockStanding
from cuemark.contracts.rights import LicenceType
from cuemark.gateway.billing.invoice_text import amount as written

_PRICE = re.compile(r"(?:([A-Z]{2}):)?([A-Z]{3})=([0-9]{1,9}(?:\.[0-9]{1,4})?)", re.ASCII)
_SPAN = re.compile(r"([0-9]{1,7})([smhd])", re.ASCII)
ID_LETTERS = 30
_AN_ID = r"[A-Za-z0-9_-]{1,64}"


def price_of(text: str) -> Price:
    """``EUR=7.99``, or ``CH:CHF=9.90`` for one territory; raises ``Failure``."""
    match = _PRICE.fullmatch(text)
    if match is None or not is_currency(match[2]):
        raise Failure(f"{text!r} is no price: write EUR=7.99, or CH:CHF=9.90 for one territory")
    minor = Decimal(match[3]).scaleb(get_currency_precision(match[2]))
    if minor != int(minor):
        raise Failure(f"{match[2]} has no such small amounts as {match[3]}")
    money = Money(amount_minor=int(minor), currency=match[2])
    return Price(money=money, territory=match[1] or "")


def basis_points(text: str) -> int:
    """A percentage with up to two decimals, in hundredths of a percent; raises ``Failure``."""
    try:
        points = Decimal(text) * 100
        if 0 <= points <= 10_000 and points == int(points):
            return int(points)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise Failure(f"{text!r} is no percentage from 0 to 100 with two decimals at most")


def seconds_of(text: str) -> int:
    """``90s``, ``10m``, ``2h`` or ``31d``; raises ``Failure``."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise Failure(f"{text!r} is no span of time: write 90s, 10m, 2h or 31d")
    return int(match[1]) * UNIT_S[match[2]]


@click.command("plan")
@click.argument("plan_id")
@click.option("--name", required=True, help="What members read.")
@click.option("--price", "prices", multiple=True, required=True, help="EUR=7.99, CH:CHF=9.90.")
@click.option("--interval", type=click.Choice(get_args(Interval)), default="month")
@click.option("--max-height", default=0, show_default=True, help="In lines; 0 for any.")
@click.option("--streams", default=1, show_default=True, help="How many plays at once.")
@click.option(
    "--licence-type",
    "licence_types",
    multiple=True,
    type=click.Choice(get_args(LicenceType)),
    help="Under which windows of rights one watches; else those of the install.",
)
@click.option("--trial-days", default=0, show_default=True)
@click.option("--ads", is_flag=True, help="The plan has ads.")
@click.option("--off-sale", is_flag=True, help="For those alone who have it.")
def put_plan(
    folder: DataFolder,
    plan_id: str,
    name: str,
    prices: tuple[str, ...],
    interval: Interval,
    max_height: int,
    streams: int,
    licence_types: tuple[LicenceType, ...],
    trial_days: int,
    ads: bool,
    off_sale: bool,
) -> None:
    """Make or change a plan. Who has it already keeps its price."""
    plan = Plan(
        plan_id=plan_id,
        name=name,
        prices=[price_of(each) for each in prices],
        interval=interval,
        allowance=Allowance(
            max_height=max_height,
            streams=streams,
            ads=ads,
            licence_types=tuple(dict.fromkeys(licence_types)),
        ),
        trial_days=trial_days,
        on_sale=not off_sale,
    )
    with Operator(folder) as operator:
        kept = operator.put("/plans", plan, Plan)
    plain.print(f"{as_is(kept.name)} is {'on sale' if kept.on_sale else 'kept'}.")


@click.command("plans")
@click.option("--territory", default="", help="What is on sale there (ISO 3166-1).")
@click.option("--json", "as_json", is_flag=True)
def list_plans(folder: DataFolder, territory: str, as_json: bool) -> None:
    """List the plans."""
    if not re.fullmatch(r"([A-Z]{2})?", territory):
        raise Failure(f"{territory!r} is no territory of ISO 3166-1: write DE or CH")
    with Operator(folder) as operator:
        found = operator.get(f"/plans?territory={territory}", PlanList)
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Plan", "Name", "Every", "Prices", "Height", "Plays", "Licences", "Trial", ""):
        table.add_column(column)
    for plan in found.plans:
        prices = ", ".join(
            f"{each.territory or 'everywhere'} "
            f"{written(each.money.amount_minor, each.money.currency)}"
            for each in plan.prices
        )
        table.add_row(
            plan.plan_id,
            as_is(plan.name),
            plan.interval,
            prices,
            str(plan.allowance.max_height or "any"),
            str(plan.allowance.streams),
            ", ".join(plan.allowance.licence_types),
            f"{plan.trial_days} d" if plan.trial_days else "",
            "" if plan.on_sale else "not on sale",
        )
    plain.print(table)


@click.command("tax")
@click.argument("territory")
@click.argument("percent")
@click.option("--name", default="VAT", show_default=True)
@click.option("--since", default="", help="From when on; from now on unless given.")
@click.option("--on-top", is_flag=True, help="Prices do not hold the tax yet.")
def put_tax(
    folder: DataFolder, territory: str, percent: str, name: str, since: str, on_top: bool
) -> None:
    """Say what tax a territory has from a time on."""
    try:
        begins = time_of(since) if since else datetime.now(UTC)
    except ValueError as error:
        raise Failure(f"{since!r} is no time: write 2027-01-01 or 2027-01-01T00:00") from error
    rule = TaxRule(
        territory=territory,
        rate_bp=basis_points(percent),
        since=begins,
        name=name,
        inclusive=not on_top,
    )
    with Operator(folder) as operator:
        kept = operator.put("/taxes", rule, TaxRule)
    plain.print(f"{as_is(kept.name)} of {kept.rate_bp / 100:g} % from {moment(kept.since)} on.")


@click.command("coupon")
@click.argument("code")
@click.option("--percent", default="0", help="How much less to pay.")
@click.option("--amount", default="", help="The same as an amount: EUR=2.00.")
@click.option("--periods", default=1, show_default=True, help="How many periods; 0 for all.")
@click.option("--most-uses", default=0, show_default=True, help="By how many members; 0: any.")
def put_coupon(
    folder: DataFolder, code: str, percent: str, amount: str, periods: int, most_uses: int
) -> None:
    """Make or change a coupon."""
    coupon = Coupon(
        code=code,
        percent_bp=basis_points(percent),
        amount=price_of(amount).money if amount else None,
        periods=periods,
        most_uses=most_uses,
    )
    with Operator(folder) as operator:
        kept = operator.put("/coupons", coupon, Coupon)
    plain.print(f"The coupon {as_is(kept.code)} holds.")


@click.command("invoices")
@click.argument("account_id")
@click.option("--json", "as_json", is_flag=True)
def list_invoices(folder: DataFolder, account_id: str, as_json: bool) -> None:
    """List the invoices of an account, the newest first."""
    path = f"/accounts/{_checked_id(account_id)}/invoices"
    invoices: list[Invoice] = []
    with Operator(folder) as operator:
        for page in operator.pages(path, InvoicePage):
            invoices += page.invoices
    if as_json:
        print_json(invoices)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Invoice", "Number", "Issued", "For", "Status", "Total", "Given back"):
        table.add_column(column, min_width=ID_LETTERS if column == "Invoice" else None)
    for each in invoices:
        back = each.refunded_minor + each.charged_back_minor
        table.add_row(
            each.invoice_id,
            each.number,
            minute(each.issued_at),
            each.reason,
            each.status,
            written(each.total_minor, each.currency),
            written(back, each.currency) if back else "",
        )
    plain.print(table)


@click.command("refund")
@click.argument("invoice_id")
@click.option("--amount-minor", type=int, help="In minor units; all that is left unless given.")
def refund(folder: DataFolder, invoice_id: str, amount_minor: int | None) -> None:
    """Give back what was paid for an invoice, or a part of it."""
    path = f"/invoices/{_checked_id(invoice_id)}/refund"
    with Operator(folder) as operator:
        after = operator.post(path, {"amount_minor": amount_minor}, Invoice)
    back = written(after.refunded_minor, after.currency)
    plain.print(f"Of invoice {after.number} {back} went back so far.")


@click.command("ledger")
@click.option("--json", "as_json", is_flag=True)
def show_ledger(folder: DataFolder, as_json: bool) -> None:
    """Show the balances, and movements that belong to no payment of this install."""
    with Operator(folder) as operator:
        ledger = operator.get("/ledger", Ledger)
    if as_json:
        print_json(ledger)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Account", "Debit", "Credit", "Balance"):
        table.add_column(column, justify="left" if column == "Account" else "right")
    for each in ledger.balances:
        sides = (each.debit_minor, each.credit_minor, each.debit_minor - each.credit_minor)
        table.add_row(each.account, *(written(side, each.currency) for side in sides))
    plain.print(table)
    for odd in ledger.discrepancies:
        money = written(odd.amount_minor, odd.currency)
        plain.print(f"Of no payment: {odd.what} of {money}, {moment(odd.at)}, {as_is(odd.key)}")


@click.command("clock")
@click.option("--advance", default="0s", help="90s, 10m, 2h or 31d.")
def clock(folder: DataFolder, advance: str) -> None:
    """Say what time it is in the sandbox, or set it ahead and do what becomes due."""
    body = {"seconds": seconds_of(advance)}
    with Operator(folder) as operator:
        standing = operator.post("/billing/clock", body, ClockStanding)
    plain.print(moment(standing.now))


@click.command("fault")
@click.argument("name", type=click.Choice([*get_args(wire.FaultName), "none"]))
@click.option("--operation", type=click.Choice(get_args(wire.Operation)), default="any")
@click.option("--times", type=click.IntRange(1, 1000), default=1, show_default=True)
def fault(folder: DataFolder, name: wire.FaultName, operation: wire.Operation, times: int) -> None:
    """Let the next requests to the sandbox fail in a way that it knows."""
    if name == "none":  # type: ignore[comparison-overlap]
        _ask_sandbox(folder, "/v1/faults/clear", wire.Done())
        plain.print("The sandbox fails no more.")
    else:
        _ask_sandbox(folder, "/v1/faults", wire.Fault(name=name, operation=operation, times=times))
        plain.print(f"The next {times} of {operation} meet {name}.")


def _ask_sandbox(folder: DataFolder, path: str, asked: msgspec.Struct) -> None:
    install = install_on(folder, settings.load(folder.root))
    if not install.settings.has_sandbox:
        raise Failure('there is no sandbox: write billing = "on" into cuemark.toml, without Stripe')
    at = sandbox_of(install)
    client = SyncClientBuilder().timeout(timedelta(seconds=10)).no_proxy().build()
    try:
        with client:
            response = (
                client.post(at.url + path)
                .header("authorization", f"Bearer {at.secret.hex()}")
                .body_bytes(msgspec.json.encode(asked))
                .build()
                .send()
            )
            status = response.status
    except PyreqwestError as error:
        raise Down(f"no answer from the sandbox at {at.url}: start it with `cuemark up`") from error
    if status != 200:
        raise Failure(f"the sandbox at {at.url} answered {status}")


def _checked_id(text: str) -> str:
    if not re.fullmatch(_AN_ID, text):
        raise Failure(f"{as_is(text)} is no id")
    return text
