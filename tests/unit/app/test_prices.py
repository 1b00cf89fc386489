"""Prices, percentages and spans of time as they are typed."""

import pytest

from cuemark.app.cli.billing import basis_points, price_of, seconds_of
from cuemark.app.cli.failure import Failure


@pytest.mark.parametrize(
    ("text", "territory", "minor", "currency"),
    [
        ("EUR=7.99", "", 799, "EUR"),
        ("EUR=8", "", 800, "EUR"),
        ("CH:CHF=9.90", "CH", 990, "CHF"),
        ("JPY=980", "", 980, "JPY"),
        ("KWD=1.250", "", 1250, "KWD"),
    ],
)
def test_a_price_is_of_whole_minor_units(
    text: str, territory: str, minor: int, currency: str
) -> None:
    price = price_of(text)
    assert (price.territory, price.money.amount_minor, price.money.currency) == (
        territory,
        minor,
        currency,
    )


@pytest.mark.parametrize("text", ["", "7.99", "EUR=", "EUR=-1", "EUR=7.999", "JPY=1.5", "XQZ=1"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(Failure):
        price_of(text)


def test_percentages_and_spans_are_exact_or_refused() -> None:
    assert [basis_points(text) for text in ("0", "7.7", "19", "100")] == [0, 770, 1900, 10_000]
    assert [seconds_of(text) for text in ("90s", "10m", "2h", "31d")] == [90, 600, 7200, 2_678_400]
    for text in ("-1", "101", "7.777", "nan", "much"):
        with pytest.raises(Failure):
            basis_points(text)
    for text in ("", "31", "-1d", "1w"):
        with pytest.raises(Failure):
            seconds_of(text)
