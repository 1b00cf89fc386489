"""Databases of places: read, replaced, damaged, missing."""

import os
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from cuemark.contexts.steering.model.places import NOWHERE
from cuemark.contexts.steering.store.atlas import LOOK_EVERY_S, Atlas
from cuemark.contracts.steering.routes import Place
from cuemark.kit.clock import ManualClock


def write(path: Path, records: dict[str, dict[str, Any]]) -> None:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="test")
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    draft = path.with_suffix(".draft")
    writer.to_db_file(str(draft))
    os.replace(draft, path)


def test_two_databases_say_together_where_an_address_is(tmp_path: Path) -> None:
    countries, networks = tmp_path / "countries.mmdb", tmp_path / "networks.mmdb"
    write(
        countries, {"192.0.2.0/24": {"country_code": "DE"}, "2001:db8::/32": {"country_code": "AT"}}
    )
    write(networks, {"192.0.2.0/25": {"autonomous_system_number": 64501}})
    atlas = Atlas([countries, networks], ManualClock())
    assert atlas.place("192.0.2.7") == Place(country="DE", asn=64501)
    assert atlas.place("192.0.2.200") == Place(country="DE")
    assert atlas.place("2001:db8::1") == Place(country="AT")
    assert atlas.place("198.51.100.1") == NOWHERE
    atlas.close()


def test_a_database_that_is_replaced_is_read_anew_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "countries.mmdb"
    atlas = Atlas([path], clock)
    assert atlas.place("192.0.2.7") == NOWHERE
    for country in ("DE", "AT"):
        write(path, {"192.0.2.0/24": {"country_code": country}})
        clock.advance(LOOK_EVERY_S)
        assert atlas.place("192.0.2.7").country == country
    path.with_suffix(".new").write_bytes(b"no database")
    os.replace(path.with_suffix(".new"), path)
    clock.advance(LOOK_EVERY_S)
    assert atlas.place("192.0.2.7").country == "AT"
    path.unlink()
    clock.advance(LOOK_EVERY_S)
    assert atlas.place("192.0.2.7").country == "AT"
    atlas.close()
