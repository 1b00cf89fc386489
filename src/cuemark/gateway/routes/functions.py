"""Functions: what the operator has run on events, and what became of each run."""

from litestar import get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from cuemark.contracts.functions import (
    Function,
    FunctionList,
    GetRun,
    ListFunctions,
    ListRuns,
    RetryRun,
    Run,
    RunPage,
    RunReport,
    SwitchFunction,
)
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, Cursor, FunctionName, Limit, SwitchBody


@get(f"{API}/functions", opt={"access": "operator", "staff": "functions.read"}, tags=["functions"])
async def list_functions(parts: Parts) -> FunctionList:
    return await parts.functions.list_functions(ListFunctions())


@put(
    f"{API}/functions/{{name:str}}",
    opt={"access": "operator", "staff": "functions.switch"},
    tags=["functions"],
)
async def switch_function(
    name: FromPath[str], data: JSONBody[SwitchBody], parts: Parts
) -> Function:
    return await parts.functions.switch_function(
        SwitchFunction(name=name, on=data.on, from_now=data.from_now)
    )


@get(
    f"{API}/function-runs",
    opt={"access": "operator", "staff": "functions.read"},
    tags=["functions"],
)
async def list_runs(
    parts: Parts,
    after: Cursor = "",
    limit: Limit = 50,
    function: FunctionName = "",
    dead_only: FromQuery[bool] = False,
) -> RunPage:
    return await parts.functions.list_runs(
        ListRuns(after=after, limit=limit, function=function, dead_only=dead_only)
    )


@get(
    f"{API}/function-runs/{{run_id:str}}",
    opt={"access": "operator", "staff": "functions.read"},
    tags=["functions"],
)
async def get_run(run_id: FromPath[str], parts: Parts) -> RunReport:
    return await parts.functions.get_run(GetRun(run_id=run_id))


@post(
    f"{API}/function-runs/{{run_id:str}}/retry",
    opt={"access": "operator", "staff": "functions.retry"},
    status_code=200,
    tags=["functions"],
)
async def retry_run(run_id: FromPath[str], parts: Parts) -> Run:
    return await parts.functions.retry_run(RetryRun(run_id=run_id))
