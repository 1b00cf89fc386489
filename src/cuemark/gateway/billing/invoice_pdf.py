"""An invoice as PDF, A4, in Noto Sans."""

from pathlib import Path

from cuemark.contracts.billing.invoices import Invoice
from cuemark.gateway.billing.invoice_text import text_of

_FONT = ("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf")
_FAMILY = "noto"
_WIDE_MM, _LINE_MM = 170.0, 7.0
_PARTS = (0.5, 0.3, 0.2)


def document(invoice: Invoice, service_name: str, email: str) -> bytes:
    """The file. The same invoice gives the same bytes: its date is the invoice's."""
    # Its fonts take a moment to import, which only who prints an invoice needs to wait for.
    import importlib.util

    from fpdf import FPDF

    said = text_of(invoice, service_name, email)
    found = importlib.util.find_spec(_FONT[0])
    assert found is not None
    assert found.origin is not None
    paper = FPDF(format="A4")
    paper.set_creation_date(invoice.issued_at)
    paper.set_title(said.title)
    paper.set_margin(20)
    paper.add_font(_FAMILY, fname=Path(found.origin).parent / _FONT[1])
    paper.add_page()
    paper.set_font(_FAMILY, size=18)
    paper.multi_cell(0, 10, said.title, new_x="LMARGIN", new_y="NEXT")
    paper.set_font(_FAMILY, size=10)
    paper.ln(_LINE_MM)
    for name, value in said.facts:
        paper.cell(30, _LINE_MM, name)
        paper.cell(0, _LINE_MM, value, new_x="LMARGIN", new_y="NEXT")
    paper.ln(_LINE_MM)
    for row in [*said.rows, *(("", name, value) for name, value in said.sums)]:
        for part, cell in zip(_PARTS, row, strict=True):
            last = part == _PARTS[-1]
            paper.cell(
                _WIDE_MM * part,
                _LINE_MM,
                cell,
                border="T",
                align="R" if last else "L",
                new_x="LMARGIN" if last else "RIGHT",
                new_y="NEXT" if last else "TOP",
            )
    return bytes(paper.output())
