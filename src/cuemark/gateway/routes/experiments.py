"""Experiments on members, as operators start and stop them."""

from litestar import get, post, put
from litestar.params import FromPath, JSONBody

from cuemark.contracts.experiments import (
    Experiment,
    ExperimentPage,
    ListExperiments,
    PutExperiment,
    StopExperiment,
)
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, Cursor, ExperimentBody, Limit

_EXPERIMENT = f"{API}/experiments/{{experiment:str}}"


@get(
    f"{API}/experiments",
    opt={"access": "operator", "staff": "experiments.read"},
    tags=["experiments"],
)
async def list_experiments(parts: Parts, after: Cursor = "", limit: Limit = 50) -> ExperimentPage:
    """Those that run and those that ran, by their names."""
    return await parts.experiments.list_experiments(ListExperiments(after=after, limit=limit))


@put(
    _EXPERIMENT,
    opt={"access": "operator", "staff": "experiments.write"},
    tags=["experiments"],
)
async def put_experiment(
    experiment: FromPath[str], data: JSONBody[ExperimentBody], parts: Parts
) -> Experiment:
    """Start an experiment, or leave the one alone that runs just so."""
    asked = PutExperiment(
        name=experiment, layer=data.layer, cells=data.cells, share_bp=data.share_bp
    )
    return await parts.experiments.put_experiment(asked)


@post(
    f"{_EXPERIMENT}/stop",
    opt={"access": "operator", "staff": "experiments.write"},
    status_code=200,
    tags=["experiments"],
)
async def stop_experiment(experiment: FromPath[str], parts: Parts) -> Experiment:
    """Plays that begin from now on are in none of its cells."""
    return await parts.experiments.stop_experiment(StopExperiment(name=experiment))
