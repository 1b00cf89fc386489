"""An invoice as PDF, A4, in Noto's fonts."""

from typing import TYPE_CHECKING

from cuemark.contracts.billing.invoices import Invoice
from cuemark.gateway.billing.invoice_text import InvoiceText, Seller, text_of
from cuemark.kit.fonts import font_files

if TYPE_CHECKING:
    from fpdf import FPDF

_FAMILY = "noto"
_MARGIN_MM, _LINE_MM = 20, 7
_HEADINGS = ("", "Period", "Amount")
_FACTS_MM, _ROWS_MM = (30, 140), (85, 51, 34)


def document(invoice: Invoice, seller: Seller, email: str) -> bytes:
    """The file, which takes up to a second of a core where its writing needs large fonts. The same
    invoice gives the same bytes: its date is the invoice's."""
    # It takes a moment to import, which only who prints an invoice needs to wait for.
    from fpdf import FPDF, FontFace

    said = text_of(invoice, seller, email)
    paper = FPDF(format="A4")
    paper.set_creation_date(invoice.issued_at)
    paper.set_title(said.title)
    paper.set_margin(_MARGIN_MM)
    _set_type(paper, said)
    paper.add_page()
    paper.set_font_size(18)
    paper.multi_cell(0, 10, said.title, new_x="LMARGIN", new_y="NEXT")
    paper.set_font_size(10)
    paper.ln(_LINE_MM)
    with paper.table(
        said.facts,
        col_widths=_FACTS_MM,
        borders_layout="NONE",
        first_row_as_headings=False,
        text_align="LEFT",
        v_align="TOP",
        line_height=_LINE_MM,
    ):
        pass
    paper.ln(_LINE_MM)
    with paper.table(
        [_HEADINGS, *said.rows, *(("", name, value) for name, value in said.sums)],
        col_widths=_ROWS_MM,
        borders_layout="HORIZONTAL_LINES",
        headings_style=FontFace(emphasis="NONE"),
        text_align=("LEFT", "LEFT", "RIGHT"),
        v_align="TOP",
        line_height=_LINE_MM,
    ):
        pass
    return bytes(paper.output())


def _set_type(paper: "FPDF", said: InvoiceText) -> None:
    """The first font, and of the others what it lacks."""
    from fpdf.fonts import TTFFont

    rows = [*said.facts, *said.rows, *said.sums]
    text = "".join([said.title, *(cell for row in rows for cell in row)])
    lacking = {ord(each) for each in text if each.isprintable()}
    others = []
    for number, file in enumerate(font_files()):
        name = f"{_FAMILY}{number}"
        if number and lacking:
            others.append(name)
        if not number or lacking:
            paper.add_font(name, fname=file)
            font = paper.fonts[name]
            assert isinstance(font, TTFFont)
            lacking -= font.cmap.keys()
    paper.set_font(f"{_FAMILY}0")
    paper.set_fallback_fonts(others, exact_match=False)
    paper.set_text_shaping(use_shaping_engine=True)
