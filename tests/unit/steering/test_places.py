"""How far an appliance is from a client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.steering.model import places
from cuemark.contexts.steering.model.places import NOWHERE, place_in, remoteness
from cuemark.contracts.steering.routes import Place

BERLIN = Place(country="DE", latitude=52.52, longitude=13.405)
VIENNA = Place(country="AT", latitude=48.208, longitude=16.373)
SYDNEY = Place(country="AU", latitude=-33.87, longitude=151.21)


def test_the_distance_is_that_of_the_great_circle() -> None:
    km = places.distance_km(BERLIN, VIENNA)
    assert km is not None
    assert abs(km - 523.6) < 2
    assert places.distance_km(BERLIN, Place(country="AT")) is None


def test_one_network_is_nearest_then_by_distance_then_by_country() -> None:
    client = Place(country="DE", asn=64501, latitude=52.5, longitude=13.4)
    there = [
        Place(country="AU", asn=64501),
        BERLIN,
        Place(country="DE"),
        SYDNEY,
    ]
    order = [remoteness(client, place) for place in there]
    assert order == sorted(set(order))
    assert remoteness(client, Place(country="FR")) == remoteness(client, None)


def test_of_a_client_of_whom_nothing_is_known_all_are_as_far() -> None:
    assert len({remoteness(NOWHERE, place) for place in (BERLIN, SYDNEY, NOWHERE, None)}) == 1


degrees = st.floats(-90, 90)
anywhere = st.one_of(
    st.builds(Place, latitude=degrees, longitude=st.floats(-180, 180)),
    st.builds(Place, country=st.sampled_from(["", "DE", "AT"])),
)


@given(anywhere, anywhere)
def test_remoteness_is_a_band_and_the_same_both_ways(one: Place, other: Place) -> None:
    assert 1 <= remoteness(one, other) <= 8
    assert remoteness(one, other) == remoteness(other, one)


@pytest.mark.parametrize(
    ("records", "place"),
    [
        ([], NOWHERE),
        ([None, 7, "DE", [], {"country": "DE"}, {"country": {"iso_code": 7}}], NOWHERE),
        ([{"country_code": "DE"}], Place(country="DE")),
        ([{"country": {"iso_code": "DE"}}, {"country_code": "AT"}], Place(country="DE")),
        (
            [{"autonomous_system_number": 3320}, {"country_code": "DE"}],
            Place(country="DE", asn=3320),
        ),
        (
            [{"location": {"latitude": 52.5, "longitude": 13.4}}],
            Place(latitude=52.5, longitude=13.4),
        ),
        ([{"latitude": 52.5, "longitude": 13.4}], Place(latitude=52.5, longitude=13.4)),
        ([{"country_code": "DE", "latitude": 1e9, "longitude": 13.4}], Place(country="DE")),
        ([{"country_code": "DE", "latitude": 52.5}], Place(country="DE")),
        ([{"country_code": "Germany", "autonomous_system_number": -1}], NOWHERE),
    ],
)
def test_records_of_either_maker_are_read_and_others_say_nothing(
    records: list[object], place: Place
) -> None:
    assert place_in(records) == place


@pytest.mark.parametrize(
    "wrong",
    [
        Place(country="de"),
        Place(country="DEU"),
        Place(asn=-1),
        Place(asn=1 << 32),
        Place(latitude=1.0),
        Place(latitude=91.0, longitude=0.0),
        Place(latitude=0.0, longitude=float("nan")),
    ],
)
def test_a_place_that_cannot_be_is_told(wrong: Place) -> None:
    assert places.complaint_about(wrong)
