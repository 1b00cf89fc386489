"""The words and figures of an invoice, for every form in which it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

from cuemark.contracts.billing.invoices import Invoice

LOCALE = "en"


@dataclass(frozen=True)
class Seller:
    """Who sells, by the name of the service; ``lines`` say who that is and where, as the law of
    most places asks of an invoice: a firm's name, its address, its number for the tax."""

    name: str
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class InvoiceText:
    """``rows`` are text, period and amount; ``sums`` what stands below them. A fact may have
    several lines."""

    title: str
    facts: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, str, str]]
    sums: Sequence[tuple[str, str]]


def amount(minor: int, currency: str) -> str:
    """An amount as people read it, with as many decimals as its currency has."""
    whole = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(whole, currency, locale=LOCALE)


def text_of(invoice: Invoice, seller: Seller, email: str) -> InvoiceText:
    currency = invoice.currency
    tax = f"{invoice.tax_name} {invoice.tax_rate_bp / 100:g} %"
    included = ", included in the prices" if invoice.tax_inclusive else ""
    sums = [("Net", amount(invoice.net_minor, currency))]
    if invoice.tax_name:
        sums.append((tax + included, amount(invoice.tax_minor, currency)))
    sums.append(("Total", amount(invoice.total_minor, currency)))
    if invoice.refunded_minor:
        sums.append(("Refunded", amount(-invoice.refunded_minor, currency)))
    if invoice.charged_back_minor:
        sums.append(("Charged back", amount(-invoice.charged_back_minor, currency)))
    paid = f", {invoice.paid_at:%Y-%m-%d}" if invoice.paid_at else ""
    return InvoiceText(
        title=f"{seller.name}: invoice {invoice.number}",
        facts=[
            *([("From", "\n".join(seller.lines))] if seller.lines else []),
            ("Invoice", invoice.number),
            ("Date", f"{invoice.issued_at:%Y-%m-%d}"),
            ("For", email),
            ("Status", f"{invoice.status}{paid}"),
        ],
        rows=[
            (
                line.text,
                f"{line.starts_at:%Y-%m-%d} to {line.ends_at:%Y-%m-%d}",
                amount(line.amount_minor, currency),
            )
            for line in invoice.lines
        ],
        sums=sums,
    )
