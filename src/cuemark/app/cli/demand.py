"""``cuemark lab demand``: weeks of demand from a seed, and the planner on them."""

from pathlib import Path

import click
from rich.table import Table

from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import console, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.lab.demand.comparison import (
    ASKED,
    CLAIRVOYANT,
    LRU,
    PLAN,
    S3_FIFO,
    Comparison,
    compare,
    reasons_of,
)
from cuemark.lab.demand.picture import page
from cuemark.lab.demand.trial import LEARN_DAYS, Outcome, closed
from cuemark.lab.demand.world import Wish, files_of


@click.command()
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--days", type=click.IntRange(3, 120), default=21, show_default=True)
@click.option(
    "--learn-days",
    type=click.IntRange(min=1),
    default=LEARN_DAYS,
    show_default=True,
    help="These count for nobody: all have them to learn.",
)
@click.option("--titles", type=click.IntRange(8, 20_000), default=1200, show_default=True)
@click.option("--zipf", type=click.FloatRange(0.1, 2), default=0.9, show_default=True)
@click.option(
    "--plays",
    type=click.IntRange(1, 200_000),
    default=4000,
    show_default=True,
    help="Plays a day in the largest region.",
)
@click.option(
    "--drift-days",
    type=click.FloatRange(0.1, 1000),
    default=7,
    show_default=True,
    help="In how many days half of what a title's appeal was is forgotten.",
)
@click.option(
    "--premieres", type=click.IntRange(0, 1000), default=30, show_default=True, help="In a week."
)
@click.option(
    "--cache",
    "cache_percent",
    type=click.FloatRange(0.1, 90),
    default=10,
    show_default=True,
    help="How much of the catalog a region holds, in percent.",
)
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw it to an HTML file."
)
@click.option("--explain", "file", type=click.IntRange(min=0), help="Why file number N is there.")
@click.option("--json", "as_json", is_flag=True)
def demand(
    folder: DataFolder,
    seed: int,
    days: int,
    learn_days: int,
    titles: int,
    zipf: float,
    plays: int,
    drift_days: float,
    premieres: int,
    cache_percent: float,
    picture: Path | None,
    file: int | None,
    as_json: bool,
) -> None:
    """Try the planner of fill on weeks of demand that a seed draws, beside caches and clairvoyance.

    It needs no install. The same options give the same figures.
    """
    try:
        wish = Wish(
            seed=seed,
            days=days,
            titles=titles,
            zipf=zipf,
            plays_day=plays,
            drift_days=drift_days,
            premieres_week=premieres,
        )
        if file is not None and file >= files_of(wish):
            raise ValueError(f"there is no file {file}: this world has {files_of(wish):,}")
        with console.status("") as screen:
            made = compare(
                wish,
                cache_percent / 100,
                learn_days,
                lambda text: screen.update(f"Seed {seed}: {text}"),
            )
    except ValueError as error:
        raise Failure(str(error)) from error
    reasons = {} if file is None else reasons_of(made, file)
    if picture is not None:
        try:
            picture.write_text(page(made), encoding="utf-8")
        except OSError as error:
            raise Failure(f"{picture} cannot be written: {error.strerror}") from error
    if as_json:
        print_json(
            {
                "wish": wish,
                "cache_share": made.cache_share,
                "files": made.world.catalog.files,
                "capacity_bytes": made.capacity_bytes,
                "outcomes": made.outcomes,
                "cluster": made.cluster,
                "reasons": reasons,
            }
        )
        return
    plain.print(
        f"Seed {seed}: {made.world.catalog.files:,} files, "
        f"{made.capacity_bytes / 1e12:.2f} TB in each region, "
        f"{days - learn_days} days after {learn_days} to learn"
    )
    plain.print(_table(made))
    cluster = made.cluster
    plain.print(
        f"Cluster of {cluster.appliances} unlike appliances: the busiest has "
        f"{cluster.max_to_mean:.2f} of its part; one lost moves "
        f"{cluster.moved_n:.2f} / {cluster.appliances} of the bytes"
    )
    for region, reason in reasons.items():
        plain.print(f"{region}: rank {reason.rank:,} of {reason.of:,}. {reason.told}")


def _table(made: Comparison) -> Table:
    shows = Table(box=None, pad_edge=False, header_style="bold")
    shows.add_column("Of what is asked for")
    for column in ("evenings, mean", "worst", "busiest hours", "all", "fill", "gap closed"):
        shows.add_column(column, justify="right")
    asked, best, cache = (made.outcomes[name] for name in (ASKED, CLAIRVOYANT, S3_FIFO))
    for name in (PLAN, S3_FIFO, LRU, CLAIRVOYANT):
        each = made.outcomes[name]
        gap = closed(each.evening_mean_bytes, cache.evening_mean_bytes, best.evening_mean_bytes)
        shows.add_row(name, *_shares(each, asked), f"{gap:.0%}" if name == PLAN else "")
    return shows


def _shares(of: Outcome, asked: Outcome) -> list[str]:
    pairs = (
        (of.evening_mean_bytes, asked.evening_mean_bytes),
        (of.evening_worst_bytes, asked.evening_worst_bytes),
        (of.busiest_mean_bytes, asked.busiest_mean_bytes),
        (of.total_bytes, asked.total_bytes),
        (of.fill_bytes, asked.total_bytes),
    )
    return [f"{part / whole:.1%}" if whole else "" for part, whole in pairs]
