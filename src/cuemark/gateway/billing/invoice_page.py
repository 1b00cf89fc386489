"""An invoice as a page of HTML."""

from cuemark.contracts.billing.invoices import Invoice
from cuemark.gateway.billing.invoice_text import Seller, text_of
from cuemark.gateway.operations.html import Html, el, join, table

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "table{width:100%;border-collapse:collapse}th,td{text-align:left;padding:.3rem}"
    ".n{text-align:right}caption{text-align:left;font-weight:bold}"
    "dt{float:left;width:6rem}dd{margin:0 0 0 6rem;white-space:pre-line}"
)


def page(invoice: Invoice, seller: Seller, email: str) -> str:
    """All of it, with its style: it needs nothing from anywhere."""
    said = text_of(invoice, seller, email)
    facts = [el("dt", name) + el("dd", value) for name, value in said.facts]
    body = join(
        [
            el("h1", said.title),
            el("dl", *(Html(each) for each in facts)),
            table("What was bought", ("", "Period", "Amount"), said.rows, numbers=1),
            table("Sums", ("", "Amount"), said.sums, numbers=1),
        ]
    )
    head = join(
        [
            el("meta", charset="utf-8"),
            el("meta", name="viewport", content="width=device-width"),
            el("title", said.title),
            el("style", Html(_STYLE)),
        ]
    )
    return "<!doctype html>" + el("html", el("head", head), el("body", body), lang="en")
