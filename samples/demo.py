"""``make demo``: starts Cuemark, fills a catalog with films rendered here, and says where to look.

Each film is ingested as soon as it is rendered, so that the first can be watched while the
others are still being drawn. A second run finds them in the catalog and only makes a fresh
login link.
"""

import os
import shutil
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import click
from rich.progress import Progress
from rich.table import Table

from cuemark.app import state
from cuemark.app.cli.accounts import LinkView
from cuemark.app.cli.client import Operator
from cuemark.app.cli.ingest import ingest_film
from cuemark.app.cli.output import console, plain
from cuemark.app.cli.titles import TitleView, all_titles
from cuemark.app.folder import DataFolder
from cuemark.contracts.encoding.jobs import Job, JobPage
from samples.catalog import CATALOG
from samples.render import render_all

MEMBER = "member@cuemark.example"
POLL_S = 0.5
RENDER_NICENESS = 15


@click.command()
@click.option("--data", "root", type=click.Path(path_type=Path), required=True)
@click.option("--browser/--no-browser", default=True, help="Open the page where one can.")
@click.option("--wait", is_flag=True, help="Stay until every full version is published.")
def main(root: Path, browser: bool, wait: bool) -> None:
    """Start Cuemark on DATA with the demo catalog."""
    begun_s = time.monotonic()
    folder = DataFolder(root)
    if state.read(folder) is None:
        up = [sys.executable, "-m", "cuemark.app.cli", "up", "--detach", "--data", str(root)]
        if subprocess.run(up, check=False).returncode:
            sys.exit(1)
    with Operator(folder) as operator, ThreadPoolExecutor(1) as films:
        filling = films.submit(fill, folder, folder.root / "samples")
        with console.status("Drawing the first film") as status:
            show = _Watch(operator, filling, lambda text: status.update(text))
            show.until(lambda: any(title.quality != "none" for title in show.titles))
            first_s = time.monotonic() - begun_s
        link = operator.post("/login-links", {"email": MEMBER, "create": True}, LinkView).url
        plain.print(f"\nWatch: [bold]{link}[/]", soft_wrap=True)
        plain.print(f"A film can be watched since {first_s:.0f} s after the start.\n")
        if browser and shutil.which("xdg-open"):
            webbrowser.open(link)
        with console.status("Drawing the other films") as status:
            show = _Watch(operator, filling, lambda text: status.update(text))
            show.until(lambda: show.all_of("quick", "full"))
            if wait:
                show.until(lambda: show.all_of("full"))
        filling.result()
        plain.print(_table(all_titles(operator)))
    if not wait:
        plain.print("\nThe full versions are being encoded; each replaces its quick one when done.")
    cuemark = Path(sys.executable).with_name("cuemark")
    plain.print(f"Cuemark goes on running: `{cuemark} down --data {root}` ends it.")


def fill(folder: DataFolder, films: Path) -> None:
    """Render the films that the catalog lacks, and ingest each as it comes.

    The thread and the programs that it starts give way to the encoding of what is there already.
    """
    os.nice(RENDER_NICENESS)
    with Operator(folder) as operator:
        there = {title.name for title in all_titles(operator)}
        missing = [recipe for recipe in CATALOG if recipe.name not in there]
        for film in render_all(films, missing) if missing else ():
            unseen = Progress(disable=True)
            ingest_film(operator, unseen, film.path, film.name, film.synopsis, film.captions)
            film.path.unlink()


class _Watch:
    """Waits for the catalog to reach a state, telling on the way what is under work."""

    def __init__(
        self, operator: Operator, filling: "Future[None]", tell: Callable[[str], None]
    ) -> None:
        self._operator = operator
        self._filling = filling
        self._tell = tell
        self.titles: list[TitleView] = []

    def until(self, true: Callable[[], bool]) -> None:
        """Return when it is so; raises what stopped the filling, or the first failed job."""
        while True:
            self.titles = all_titles(self._operator)
            if true():
                return
            if self._filling.done():
                self._filling.result()
            jobs = self._operator.get("/jobs?limit=50", JobPage).jobs
            self._tell(self._progress(jobs))
            for job in jobs:
                if job.state == "failed":
                    raise click.ClickException(job.error)
            time.sleep(POLL_S)

    def all_of(self, *qualities: str) -> bool:
        """Whether every film of the demo is there in one of these qualities."""
        there = {title.name: title.quality for title in self.titles}
        return all(there.get(recipe.name) in qualities for recipe in CATALOG)

    def _progress(self, jobs: list[Job]) -> str:
        names = {title.title_id: title.name for title in self.titles}
        parts = []
        if not self._filling.done():
            parts.append(f"{len(names)} of {len(CATALOG)} films drawn")
        for job in jobs:
            doing = [stage for stage in job.stages if stage.done < stage.total]
            if job.state == "running" and doing:
                parts.append(f"{names.get(job.title_id, '')}: {doing[0].stage}")
        return "; ".join(parts[:3])


def _table(titles: list[TitleView]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Title")
    table.add_column("Version")
    for title in titles:
        table.add_row(title.name, title.quality)
    return table


if __name__ == "__main__":
    main()
