"""How a rollout goes on, for any fleet, any policy, and any trouble."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.steering.model import rollout_changes, rollouts
from cuemark.contexts.steering.model.rollouts import UNLOOKED_S, Seen
from cuemark.contexts.steering.model.shares import at_once, check_policy, needed
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.reports import Software
from cuemark.contracts.steering.rollouts import (
    Rollout,
    RolloutInvalid,
    RolloutPolicy,
    RolloutUnderway,
)
from cuemark.kit.clock import ManualClock

OLD, NEW = "0.1.0+old", "0.2.0+new"
QUICK = RolloutPolicy(waves=["1"], soak_s=10, drain_s=5, deadline_s=60, at_once_percent=50)


@dataclass
class Fleet:
    """Appliances that obey orders ``back_s`` after they got them, as the world would have them."""

    seen: dict[str, Seen]
    policy: RolloutPolicy = QUICK
    back_s: float = 3.0
    clock: ManualClock = field(default_factory=ManualClock)
    troubles: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    told_at: dict[str, datetime] = field(default_factory=dict)
    rollout: Rollout | None = None

    @property
    def going(self) -> Rollout:
        assert self.rollout is not None
        return self.rollout

    @property
    def standing(self) -> str:
        return self.going.standing

    def start(self, release: str = NEW) -> None:
        self.rollout = rollout_changes.started(
            f"rol_{release}", release, self.policy, self.rollout, self.everybody, self.clock.now()
        )

    @property
    def everybody(self) -> list[Seen]:
        return list(self.seen.values())

    def pass_s(self, seconds: float, check: Callable[[], None] = lambda: None) -> None:
        """Let time pass, with a look each second and what the appliances do meanwhile."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
            for name in self.seen:
                self._obey(name)
            self.rollout = rollouts.step(self.going, self.everybody, self.clock.now())
            check()

    def _obey(self, name: str) -> None:
        order = rollouts.order_for(self.going, ApplianceId(name))
        seen = self.seen[name]
        if order is None or seen.software is None or name in self.lost:
            return
        if seen.software.order_id == order.order_id:
            return
        told_at = self.told_at.setdefault(order.order_id + name, self.clock.now())
        self.seen[name] = replace(seen, alive=False)
        if self.clock.now() - told_at >= timedelta(seconds=self.back_s):
            trouble = self.troubles.get(name, "")
            release = seen.software.release if trouble else order.release
            said = Software(
                release=release, can_update=True, order_id=order.order_id, trouble=trouble
            )
            self.seen[name] = replace(seen, alive=True, software=said)

    def says(self, name: str, **changes: int | str) -> None:
        said = self.seen[name].software
        assert said is not None
        fields = {
            "release": said.release,
            "can_update": said.can_update,
            "order_id": said.order_id,
            "trouble": said.trouble,
        }
        self.seen[name] = replace(self.seen[name], software=Software(**{**fields, **changes}))  # type: ignore[arg-type]

    def phases(self) -> dict[str, str]:
        return {each.appliance_id: each.phase for each in self.going.members}

    def releases(self) -> set[str]:
        return {each.release for each in self.everybody}


def fleet_of(count: int, policy: RolloutPolicy = QUICK, region: str = "") -> Fleet:
    names = [f"edge-{number}" for number in range(1, count + 1)]
    old = Software(release=OLD, can_update=True)
    return Fleet(
        {
            name: Seen(ApplianceId(name), alive=True, healthy=True, region=region, software=old)
            for name in names
        },
        policy,
    )


policies = st.builds(
    RolloutPolicy,
    waves=st.lists(st.sampled_from(["1", "2", "5%", "10%", "50%", "100%"]), max_size=4),
    soak_s=st.integers(0, 20),
    drain_s=st.integers(0, 8),
    deadline_s=st.integers(20, 60),
    at_once_percent=st.integers(1, 100),
)
fleets = st.lists(
    st.tuples(st.sampled_from(["", "oslo", "lima"]), st.booleans(), st.integers(0, 9)),
    min_size=1,
    max_size=9,
).map(
    lambda rows: {
        f"edge-{number}": Seen(
            ApplianceId(f"edge-{number}"),
            alive=True,
            healthy=luck > 0,
            region=region,
            of_storage=of_storage,
            software=Software(release=OLD, can_update=luck < 9),
        )
        for number, (region, of_storage, luck) in enumerate(rows)
    }
)


@given(fleets, policies, st.sets(st.integers(0, 8)), st.sets(st.integers(0, 8)))
@settings(max_examples=60, deadline=None)
def test_no_group_loses_its_last_one_nor_more_than_the_bound_at_once(
    seen: dict[str, Seen], policy: RolloutPolicy, failing: set[int], lost: set[int]
) -> None:
    fleet = Fleet(dict(seen), policy)
    fleet.troubles = {f"edge-{number}": "it did not serve" for number in failing}
    fleet.lost = {f"edge-{number}" for number in lost}
    if not any(each.can_update for each in seen.values()):
        with pytest.raises(RolloutInvalid, match="releases"):
            fleet.start()
        return
    fleet.start()
    fit = {name for name, each in seen.items() if each.well}
    groups = {each.group for each in seen.values()}

    def check() -> None:
        moving = set(rollouts.draining(fleet.going))
        for group in groups:
            of_group = {name for name, each in seen.items() if each.group == group}
            taken = moving & of_group & fit
            assert len(taken) <= at_once(policy, len(of_group))
            assert not taken or taken < of_group & fit, "the last one was taken"
        for each in fleet.going.members:
            assert seen[each.appliance_id].can_update
        if fleet.standing == "running":
            begun = sum(phase != "waiting" for phase in fleet.phases().values())
            assert begun <= needed(policy, fleet.going.wave, len(fleet.going.members))

    fleet.pass_s(200, check)
    if fleet.standing == "halted":
        assert fleet.going.reason, "it says why"
        told = dict(fleet.told_at)
        fleet.pass_s(100)
        assert fleet.told_at == told, "nobody is told by a rollout that is halted"
    if fleet.standing == "done":
        assert all(each.release == NEW for each in fleet.everybody if each.can_update)


@given(st.integers(2, 12), policies)
@settings(max_examples=25, deadline=None)
def test_a_fleet_that_is_well_is_updated_whole_whatever_the_waves(
    count: int, policy: RolloutPolicy
) -> None:
    fleet = fleet_of(count, policy)
    fleet.start()
    fleet.pass_s(count * (policy.drain_s + 10) + 6 * (policy.soak_s + 3))
    assert (fleet.standing, fleet.releases()) == ("done", {NEW})
    over, back = rollout_changes.undone("rol_back", fleet.going, fleet.clock.now())
    assert over.standing == "undone"
    fleet.rollout = back
    fleet.pass_s(count * (policy.drain_s + 10) + 20)
    assert (fleet.standing, fleet.releases()) == ("done", {OLD})


def test_waves_are_one_then_shares_then_all_and_each_is_held() -> None:
    policy = RolloutPolicy(soak_s=30, drain_s=5, at_once_percent=100)
    fleet = fleet_of(20, policy)
    fleet.start()
    counts = []
    for _ in range(4):
        fleet.pass_s(14)
        counts.append(sum(each.release == NEW for each in fleet.everybody))
        fleet.pass_s(32)
    assert counts == [1, 2, 10, 20]
    assert fleet.standing == "done"


def test_who_fails_halts_it_and_the_rest_stay_on_the_release_before() -> None:
    fleet = fleet_of(4)
    fleet.troubles["edge-1"] = "release 0.2.0+new is not in /opt/releases"
    fleet.start()
    fleet.pass_s(60)
    assert fleet.standing == "halted"
    assert fleet.going.reason == (
        "edge-1 failed to run 0.2.0+new: release 0.2.0+new is not in /opt/releases"
    )
    assert fleet.releases() == {OLD}
    assert not rollouts.draining(fleet.going)
    assert not rollouts.to_look_at(fleet.going)


def test_who_does_not_come_back_in_time_halts_it() -> None:
    fleet = fleet_of(3)
    fleet.back_s = 1000
    fleet.start()
    fleet.pass_s(60)
    assert fleet.standing == "running"
    fleet.pass_s(15)
    assert fleet.standing == "halted"
    assert "edge-1 failed to run 0.2.0+new: it is not back within 60 s: it is silent" in (
        fleet.going.reason
    )


def test_another_release_than_the_one_wanted_halts_it() -> None:
    fleet = fleet_of(3)
    fleet.start()
    fleet.pass_s(7)
    fleet.lost.add("edge-1")
    fleet.says("edge-1", release="0.2.0+other")
    fleet.seen["edge-1"] = replace(fleet.seen["edge-1"], alive=True)
    fleet.pass_s(70)
    assert "it runs 0.2.0+other" in fleet.going.reason


@pytest.mark.parametrize("how", ["silent", "not healthy"])
def test_who_is_not_well_once_updated_halts_it_but_not_for_a_moment(how: str) -> None:
    fleet = fleet_of(3, RolloutPolicy(waves=["1"], soak_s=100, drain_s=1))
    fleet.start()
    fleet.pass_s(20)
    assert fleet.phases()["edge-1"] == "updated"
    since = fleet.going.well_since
    well = fleet.seen["edge-1"]
    fleet.seen["edge-1"] = replace(well, alive=how != "silent", healthy=False)
    fleet.pass_s(10)
    fleet.seen["edge-1"] = well
    fleet.pass_s(2)
    assert fleet.standing == "running"
    assert since is not None
    assert fleet.going.well_since is not None
    assert fleet.going.well_since > since, "it is held anew"
    fleet.seen["edge-1"] = replace(well, alive=how != "silent", healthy=False)
    fleet.pass_s(20)
    assert fleet.going.reason == f"edge-1 is {how} since it runs {NEW}"


def test_who_fails_more_than_the_others_halts_it() -> None:
    fleet = fleet_of(4, RolloutPolicy(waves=["1"], soak_s=100, drain_s=1))
    fleet.start()
    fleet.pass_s(20)
    for name in ("edge-2", "edge-3"):
        fleet.says(name, answered=500, failed=20)
    fleet.says("edge-1", answered=49, failed=49)
    fleet.pass_s(2)
    assert fleet.standing == "running", "too few to say"
    fleet.says("edge-1", answered=1000, failed=79)
    fleet.pass_s(2)
    assert fleet.standing == "running", "as the others do"
    fleet.says("edge-1", answered=1000, failed=81)
    fleet.pass_s(2)
    assert fleet.standing == "halted"
    assert fleet.going.reason.startswith("edge-1 fails 81 of 1000 requests")


def test_the_last_fit_one_of_a_region_waits_and_says_so_unless_it_may_be_taken() -> None:
    fleet = fleet_of(1, region="oslo")
    fleet.seen["edge-far"] = replace(
        fleet.seen["edge-1"], appliance_id=ApplianceId("edge-far"), region="lima"
    )
    fleet.start()
    fleet.pass_s(30)
    assert fleet.going.reason == "edge-1 is the last one fit in oslo, edge"
    assert fleet.releases() == {OLD}
    fleet.rollout = rollout_changes.paused(fleet.going)
    fleet.policy = RolloutPolicy(waves=[], soak_s=0, drain_s=1, allow_last=True)
    fleet.start()
    fleet.pass_s(30)
    assert fleet.releases() == {NEW}


def test_one_that_operators_drain_does_not_stand_in_for_another() -> None:
    fleet = fleet_of(2)
    fleet.seen["edge-2"] = replace(fleet.seen["edge-2"], draining=True)
    fleet.start()
    fleet.pass_s(5)
    assert rollouts.draining(fleet.going) == ["edge-2"]


def test_requests_in_flight_are_waited_for_but_not_for_ever() -> None:
    fleet = fleet_of(3)
    fleet.seen["edge-1"] = replace(fleet.seen["edge-1"], in_flight=1)
    fleet.start()
    fleet.pass_s(30)
    assert fleet.phases()["edge-1"] == "draining"
    fleet.pass_s(10)
    assert fleet.phases()["edge-1"] != "draining"


@pytest.mark.parametrize("pause_s", [UNLOOKED_S + 1, 3600, -3600])
def test_what_nobody_looked_at_is_not_late(pause_s: float) -> None:
    """Control is away, or the clock is set, in the middle of a wave."""
    fleet = fleet_of(3)
    fleet.back_s = 20
    fleet.start()
    fleet.pass_s(10)
    assert fleet.phases()["edge-1"] == "replacing"
    fleet.clock.jump(pause_s)
    fleet.told_at = {key: at + timedelta(seconds=pause_s) for key, at in fleet.told_at.items()}
    fleet.pass_s(100)
    assert (fleet.standing, fleet.releases()) == ("done", {NEW})


def test_a_pause_lets_those_that_drain_have_plays_again_and_waits_for_those_that_were_told() -> (
    None
):
    fleet = fleet_of(4, RolloutPolicy(waves=[], soak_s=0, drain_s=5, at_once_percent=25))
    fleet.start()
    fleet.pass_s(3)
    assert rollouts.draining(fleet.going) == ["edge-1"]
    fleet.rollout = rollout_changes.paused(fleet.going)
    fleet.pass_s(1)
    assert not rollouts.draining(fleet.going)
    fleet.rollout = rollout_changes.resumed(fleet.going, fleet.clock.now())
    fleet.pass_s(7)
    assert fleet.phases()["edge-1"] == "replacing"
    fleet.rollout = rollout_changes.paused(fleet.going)
    with pytest.raises(RolloutUnderway, match="edge-1 is still being replaced"):
        fleet.start("0.3.0")
    fleet.pass_s(20)
    assert list(fleet.phases().values()) == ["updated", "waiting", "waiting", "waiting"]
    fleet.clock.advance(86_400)
    fleet.rollout = rollout_changes.resumed(fleet.going, fleet.clock.now())
    fleet.pass_s(60)
    assert (fleet.standing, fleet.releases()) == ("done", {NEW})


def test_resuming_after_a_failure_gives_another_order() -> None:
    fleet = fleet_of(3)
    fleet.troubles["edge-1"] = "it ended: no such module"
    fleet.start()
    fleet.pass_s(30)
    assert fleet.standing == "halted"
    del fleet.troubles["edge-1"]
    fleet.rollout = rollout_changes.resumed(fleet.going, fleet.clock.now())
    fleet.pass_s(90)
    assert (fleet.standing, fleet.releases()) == ("done", {NEW})


def test_undoing_a_halted_rollout_brings_back_those_that_were_replaced() -> None:
    fleet = fleet_of(4)
    fleet.troubles["edge-2"] = "it ended"
    fleet.start()
    fleet.pass_s(60)
    assert fleet.releases() == {OLD, NEW}
    _, fleet.rollout = rollout_changes.undone("rol_back", fleet.going, fleet.clock.now())
    fleet.pass_s(30)
    assert (fleet.standing, fleet.releases()) == ("done", {OLD})
    with pytest.raises(RolloutUnderway, match="way back"):
        rollout_changes.undone("rol_more", fleet.going, fleet.clock.now())


def test_one_that_is_long_silent_is_left_out_and_named() -> None:
    fleet = fleet_of(5)
    fleet.seen["edge-5"] = replace(fleet.seen["edge-5"], alive=False)
    fleet.start()
    fleet.pass_s(200)
    assert (fleet.standing, fleet.going.reason) == ("done", "without edge-5: silent")


def test_one_that_comes_later_is_updated_too() -> None:
    fleet = fleet_of(3)
    fleet.start()
    fleet.pass_s(5)
    late = ApplianceId("edge-late")
    fleet.seen["edge-late"] = replace(fleet.seen["edge-3"], appliance_id=late)
    fleet.pass_s(100)
    assert fleet.releases() == {NEW}


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc", "a/b", "a..b", ".hidden", "-x", "a b", "a\0", "a" * 65, "é"]
)
def test_what_names_no_release_is_refused(name: str) -> None:
    with pytest.raises(RolloutInvalid, match="names no release"):
        fleet_of(2).start(name)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (RolloutPolicy(waves=["0"]), "waves has '0'"),
        (RolloutPolicy(waves=["101%"]), "waves has '101%'"),
        (RolloutPolicy(waves=["half"]), "waves has 'half'"),
        (RolloutPolicy(waves=["1"] * 21), "more than 20"),
        (RolloutPolicy(soak_s=-1), "soak_s is -1"),
        (RolloutPolicy(deadline_s=9), "deadline_s is 9"),
        (RolloutPolicy(drain_s=10**9), "drain_s is"),
        (RolloutPolicy(at_once_percent=0), "at_once_percent is 0"),
    ],
)
def test_each_fault_of_a_policy_has_its_sentence(policy: RolloutPolicy, sentence: str) -> None:
    with pytest.raises(RolloutInvalid, match=sentence):
        check_policy(policy)


def test_a_second_operator_does_not_start_another_rollout_over_one_that_runs() -> None:
    fleet = fleet_of(2)
    fleet.start()
    with pytest.raises(RolloutUnderway, match=r"the rollout of 0\.2\.0\+new is running"):
        fleet.start("0.3.0")


def test_a_release_that_everybody_runs_needs_no_rollout() -> None:
    with pytest.raises(RolloutInvalid, match="all appliances that can be updated run"):
        fleet_of(2).start(OLD)
