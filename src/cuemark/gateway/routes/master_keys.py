"""The master keys that content keys are stored under, as operators change them."""

from litestar import delete, get, post
from litestar.params import FromPath

from cuemark.contracts.licensing import (
    ListMasterKeys,
    MasterKeyList,
    RetireMasterKey,
    RotateMasterKey,
)
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API


@get(f"{API}/master-keys", opt={"access": "operator", "staff": "master_keys.read"}, tags=["keys"])
async def list_master_keys(parts: Parts) -> MasterKeyList:
    return await parts.licensing.list_master_keys(ListMasterKeys())


@post(
    f"{API}/master-keys", opt={"access": "operator", "staff": "master_keys.rotate"}, tags=["keys"]
)
async def rotate_master_key(parts: Parts) -> MasterKeyList:
    """A new master key; what is stored under older ones is wrapped anew from now on."""
    return await parts.licensing.rotate_master_key(RotateMasterKey())


@delete(
    f"{API}/master-keys/{{number:int}}",
    opt={"access": "operator", "staff": "master_keys.retire"},
    status_code=200,
    tags=["keys"],
)
async def retire_master_key(number: FromPath[int], parts: Parts) -> MasterKeyList:
    """Destroy an older master key, once nothing is stored under it."""
    return await parts.licensing.retire_master_key(RetireMasterKey(number=number))
