"""An invoice as page and as PDF, read back: what it says, and that all of it can be read."""

import itertools
from datetime import UTC, datetime, timedelta

import msgspec
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contracts.billing.invoices import Invoice, Line
from cuemark.contracts.ids import AccountId
from cuemark.gateway.billing.invoice_page import page
from cuemark.gateway.billing.invoice_pdf import document
from cuemark.gateway.billing.invoice_text import Seller

SINCE = datetime(2026, 1, 31, tzinfo=UTC)
SELLER = Seller("Films by the Lake", ("Lake & Sons Ltd", "12 Lake Street, Dublin 2", "VAT IE1"))
EMAIL = "ada@films.example"
LONG = "The very best picture in every room of the house, for families (50 % with HALF)"
A4_POINTS = (595, 842)
MARGIN_POINTS, KERNED_POINTS = 56, 1


def line(text: str = "Standard", amount_minor: int = 799) -> Line:
    ends_at = SINCE + timedelta(days=28)
    return Line(text=text, starts_at=SINCE, ends_at=ends_at, amount_minor=amount_minor)


def invoice(*lines: Line) -> Invoice:
    return Invoice(
        invoice_id="inv_1",
        account_id=AccountId("acc_ada"),
        number="2026-8",
        status="paid",
        reason="renewal",
        currency="EUR",
        lines=list(lines or [line()]),
        net_minor=671,
        tax_minor=128,
        total_minor=799,
        territory="DE",
        issued_at=SINCE,
        tax_name="MwSt",
        tax_rate_bp=1900,
        tax_inclusive=True,
        paid_at=SINCE + timedelta(days=1),
        refunded_minor=100,
    )


def read(pdf: bytes) -> list[pypdfium2.PdfPage]:
    return list(pypdfium2.PdfDocument(pdf))


def words(pages: list[pypdfium2.PdfPage]) -> str:
    return " ".join(" ".join(each.get_textpage().get_text_bounded().split()) for each in pages)


def test_what_was_bought_by_whom_from_whom_is_in_the_pdf() -> None:
    (paper,) = read(document(invoice(), SELLER, EMAIL))
    assert words([paper]) == (
        "Films by the Lake: invoice 2026-8 "
        "From Lake & Sons Ltd 12 Lake Street, Dublin 2 VAT IE1 "
        "Invoice 2026-8 Date 2026-01-31 For ada@films.example Status paid, 2026-02-01 "
        "Period Amount Standard 2026-01-31 to 2026-02-28 €7.99 "
        "Net €6.71 MwSt 19 %, included in the prices €1.28 Total €7.99 Refunded -€1.00"
    )


def test_the_page_says_the_same() -> None:
    shown = page(invoice(), SELLER, EMAIL)
    for said in ("<dd>Lake &amp; Sons Ltd\n12 Lake Street", "2026-8", EMAIL, "€1.28", "-€1.00"):
        assert said in shown
    assert "From" not in page(invoice(), Seller("Films"), EMAIL)


def test_the_same_invoice_is_the_same_file() -> None:
    assert document(invoice(), SELLER, EMAIL) == document(invoice(), SELLER, EMAIL)


@pytest.mark.parametrize("text", [LONG, "W" * 200, "a-film-" * 30])
def test_long_names_stand_over_nothing_and_within_the_margins(text: str) -> None:
    said = msgspec.structs.replace(invoice(line(text)), tax_name="Umsatzsteuer " * 4)
    (paper,) = read(document(said, SELLER, f"{'ada' * 30}@films.example"))
    assert [round(size) for size in paper.get_size()] == list(A4_POINTS)
    written = paper.get_textpage()
    runs = [written.get_rect(number) for number in range(written.count_rects())]
    assert len(runs) > 20
    for left, bottom, right, top in runs:
        assert MARGIN_POINTS <= left < right <= A4_POINTS[0] - MARGIN_POINTS
        assert MARGIN_POINTS <= bottom < top <= A4_POINTS[1] - MARGIN_POINTS
    for one, other in itertools.combinations(runs, 2):
        wide = min(one[2], other[2]) - max(one[0], other[0])
        high = min(one[3], other[3]) - max(one[1], other[1])
        assert wide < KERNED_POINTS or high <= 0, (one, other)


def test_many_lines_go_on_over_the_page() -> None:
    pages = read(document(invoice(*[line(f"Part {n}", n) for n in range(60)]), SELLER, EMAIL))
    assert len(pages) == 3
    assert all(f"Part {n} " in words(pages) for n in range(60))
    assert words(pages[1:2]).startswith("Period Amount Part ")


@pytest.mark.parametrize(
    "text", ["標準プラン", "표준 요금제", "Стандарт", "Τυπικό", "मानक", "Việt"]
)
def test_names_in_other_scripts_are_all_there(text: str) -> None:
    pages = read(document(invoice(line(text)), Seller(text), EMAIL))
    assert words(pages).count(text) == 2


def test_what_is_written_from_the_right_is_there_and_its_letters_are_joined() -> None:
    pages = read(document(invoice(line("العربية"), line("שלום"), line("ععع")), SELLER, EMAIL))
    assert set("العربيةשלום") <= set(words(pages))
    written = pages[0].get_textpage()
    text = written.get_text_range()
    first = text.index("ععع")
    boxes = [written.get_charbox(first + number) for number in range(3)]
    assert len({round(right - left, 1) for left, _, right, _ in boxes}) == 3


@settings(max_examples=10, deadline=None)
@given(st.text(max_size=80), st.text(max_size=30), st.integers(-(10**12), 10**12))
def test_any_name_and_any_amount_makes_a_file(text: str, name: str, amount: int) -> None:
    pages = read(document(invoice(line(text, amount)), Seller(name), EMAIL))
    assert "Total" in words(pages)
