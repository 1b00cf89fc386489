"""Routes from a real router to the ranking."""

import asyncio
from pathlib import Path

from tests.integration.edge.router import OUR_ASN
from tests.integration.edge.town import FAR, NEAR, town


async def test_a_network_is_steered_as_its_router_says_within_a_second(
    tmp_path: Path, database_url: str
) -> None:
    async with town(tmp_path, database_url) as here:
        assert await here.first() == FAR
        here.router.start(["8.8.8.0/24 blackhole", "2001:4860::/32 blackhole"])
        await here.until_first(NEAR, 20)
        await here.until_known(["2001:4860::/32", "8.8.8.0/24"])
        assert await here.first("9.9.9.9") == FAR
        assert await here.first("2001:4860::1") == NEAR
        here.router.announce(["8.8.0.0/20 blackhole"])
        await here.until_known(["8.8.0.0/20"])
        assert await here.first() == NEAR, "by the wider prefix"
        here.router.announce([])
        withdrawn_s = await here.until_first(FAR, 5)
        here.router.announce(["8.8.8.0/24 blackhole"])
        await here.until_first(NEAR, 5)
        here.router.kill()
        lost_s = await here.until_first(FAR, 5)
        assert max(withdrawn_s, lost_s) < 1.0
        print(f"a withdrawal steered after {withdrawn_s:.2f} s, a lost router {lost_s:.2f} s")


async def test_a_hostile_router_is_believed_no_farther_than_its_networks_go(
    tmp_path: Path, database_url: str
) -> None:
    long_path = " ".join(f"bgp_path.prepend({65000 + n});" for n in range(100))
    hostile = [
        "0.0.0.0/0 blackhole",
        "0.0.0.0/1 blackhole",
        "9.9.9.0/24 blackhole",
        "10.0.0.0/8 blackhole",
        "8.8.8.8/32 blackhole",
        f"8.8.7.0/24 blackhole {{ {long_path} }}",
        f"8.8.6.0/24 blackhole {{ bgp_path.prepend({OUR_ASN}); }}",
        "2001:4861::/32 blackhole",
    ]
    async with town(tmp_path, database_url) as here:
        here.router.start([*hostile, "8.8.4.0/24 blackhole"])
        (table,) = here.rib.tables.values()
        async with asyncio.timeout(20):
            while table.told().refused < len(hostile) - 1 or not table.told().routes:
                await asyncio.sleep(0.02)
        await here.until_known(["8.8.4.0/24"])
        for address in ("1.1.1.1", "9.9.9.9", "10.0.0.1", "8.8.8.8", "2001:4861::1"):
            assert await here.first(address) == FAR


async def test_a_router_past_its_maximum_loses_all_and_its_session(
    tmp_path: Path, database_url: str
) -> None:
    async with town(tmp_path, database_url, max_prefixes=10) as here:
        here.router.start(["8.8.8.0/24 blackhole"])
        await here.until_first(NEAR, 20)
        here.router.announce([f"8.8.{n}.0/24 blackhole" for n in range(200)])
        await here.until_first(FAR, 5)
        (told,) = here.rib.told()
        assert (told.state, told.routes) == ("held", 0)
        assert told.complaint == "it announced more than 10 prefixes"
        assert await here.known() == []
