"""Why a client is steered as it is, in the words of whoever runs the network."""

from collections.abc import Sequence
from datetime import datetime

from cuemark.contexts.steering.model.holding import UNTOLD, Film
from cuemark.contexts.steering.model.pathways import parted
from cuemark.contexts.steering.model.places import distance_km, remoteness
from cuemark.contexts.steering.model.ranking import (
    Appliance,
    Client,
    Group,
    Loads,
    grouped,
    rings,
)
from cuemark.contracts.steering import Candidate


def candidates(
    enrolled: Sequence[Appliance],
    knowing: Sequence[Appliance],
    loads: Loads,
    now: datetime,
    client: Client,
    film: Film = UNTOLD,
) -> list[Candidate]:
    """Every appliance that is enrolled, with its ring for this client and what put it there."""
    open_, draining = parted(knowing, now)
    ranked = [*rings(open_, loads, now, client), *rings(draining, loads, now, client)]
    order = [
        (number, each, group)
        for number, ring in enumerate(ranked, start=1)
        for group in grouped(ring, film, loads)
        for each in group.appliances
    ]
    able = [appliance for _, appliance, _ in order]
    load_of = loads.measure(enrolled)
    return [
        *(
            _candidate(
                each,
                ring,
                _why(each, loads, client) + _held(each, group, film),
                client,
                load_of(each),
                film,
            )
            for ring, each, group in order
        ),
        *(
            _candidate(each, 0, _why_not(each, knowing, now), client, load_of(each), film)
            for each in enrolled
            if each not in able
        ),
    ]


def _candidate(
    appliance: Appliance, ring: int, reason: str, client: Client, load: float, film: Film
) -> Candidate:
    path = client.paths.get(appliance.appliance_id)
    km = distance_km(client.place, appliance.place)
    return Candidate(
        appliance_id=appliance.appliance_id,
        ring=ring,
        reason=reason,
        route=path.route if path else None,
        km=None if km is None else round(km, 1),
        load=round(load, 3),
        held_percent=film.percent.get(appliance.appliance_id),
    )


def _held(appliance: Appliance, group: Group, film: Film) -> str:
    """What it holds of the film, and what that is beside the others of its ring."""
    percent = film.percent.get(appliance.appliance_id)
    if percent is None:
        return "; what it holds is not known" if film.percent else ""
    there = "all of" if percent == 100 else f"{percent} % of" if percent else "nothing of"
    said = f"; has {there} what plays take"
    if group.busy:
        return f"{said}, and is busy"
    return f"{said}: holds it" if group.holds else said


def _why(appliance: Appliance, loads: Loads, client: Client) -> str:
    if appliance.of_storage:
        return "is of the storage tier: gets clients where no other appliance can serve them"
    path = client.paths.get(appliance.appliance_id)
    if path is None and appliance.announced_only:
        return "is for the clients of its routes alone: gets others where nobody else can"
    if path is None:
        why = f"no route; {_where(appliance, client)}"
    else:
        route = path.route
        why = (
            f"route {route.prefix} of {route.peer}: local preference {route.local_preference}, "
            f"AS path of {route.as_path_length}, MED {route.med}; {_where(appliance, client)}"
        )
    why = f"full; {why}" if loads.full(appliance) else why
    return f"draining; {why}" if appliance.draining else why


def _where(appliance: Appliance, client: Client) -> str:
    if remoteness(client.place, appliance.place) == 0:
        return f"in its network AS{client.place.asn}"
    km = distance_km(client.place, appliance.place)
    if km is not None:
        return f"{km:.0f} km away"
    there = appliance.place.country if appliance.place else ""
    if not there or not client.place.country:
        return "how far it is is not known"
    return f"in {there}, the client in {client.place.country}"


def _why_not(appliance: Appliance, knowing: Sequence[Appliance], now: datetime) -> str:
    if appliance not in knowing:
        return "does not know this version"
    if not appliance.healthy:
        return "says that it is not healthy"
    silent_s = (now - appliance.last_report_at).total_seconds()
    return f"has been silent for {silent_s:.1f} s"
