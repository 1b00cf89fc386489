"""Experiments as tests want them."""

from datetime import UTC, datetime

from cuemark.contracts.experiments import Cell, Experiment, PutExperiment
from cuemark.contracts.experiments.settings import Value

CONTROL = Cell(name="control")
BUFFER: dict[str, Value] = {"player.buffering_goal_s": 60.0}
LONGER = Cell(name="longer", settings=BUFFER)


def asked(
    name: str = "buffer",
    *cells: Cell,
    layer: str = "player",
    share_bp: int = 10_000,
) -> PutExperiment:
    """Of two cells, where none are named."""
    given = list(cells) or [CONTROL, LONGER]
    return PutExperiment(name=name, layer=layer, cells=given, share_bp=share_bp)


def run_of(asked: PutExperiment, first_bucket: int = 0, run_id: str = "run_1") -> Experiment:
    return Experiment(
        name=asked.name,
        layer=asked.layer,
        cells=asked.cells,
        share_bp=asked.share_bp,
        state="running",
        run_id=run_id,
        first_bucket=first_bucket,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
