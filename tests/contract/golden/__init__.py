"""What each contract has promised, recorded: samples of its messages, its methods, its refusals.

``<contract>.json`` holds for each message two samples, ``full`` with every field and ``least``
with the required ones only, the ``words`` that its literal fields may have, and the fields that
may be ``null``. ``broken_promises`` compares a record with the code as it stands:

- what was sent must still be read: ``full`` and ``least`` decode with today's types, and what
  might be null still may;
- what is sent must be readable by who still runs the release of the record: every recorded
  field is sent, with the recorded value for the same sample, no literal has a new word, and
  nothing is null that was not;
- every recorded method takes and gives the recorded messages; every refusal keeps its code.

Added fields (with a default), messages, methods and refusals break nothing.
``python -m tests.contract.golden`` records them, and refuses to record a broken promise: a
message that no caller of any supported release uses any more is first taken out of its file by
hand, in a commit that says so.
"""

import importlib
import json
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import msgspec.inspect as mi

from cuemark import contracts
from cuemark.kit.link import methods_of

FOLDER = Path(__file__).parent
COMMAND = "python -m tests.contract.golden"

Json = Any
Record = dict[str, dict[str, Json]]


def contract_modules() -> dict[str, ModuleType]:
    """The modules of ``cuemark.contracts`` by name, without the words that all of them share."""
    names = [module.name for module in pkgutil.iter_modules(contracts.__path__)]
    return {
        name: importlib.import_module(f"cuemark.contracts.{name}")
        for name in sorted(names)
        if name not in ("ids", "protection")
    }


def messages_of(module: ModuleType) -> dict[str, type[msgspec.Struct]]:
    """The messages that ``module`` itself defines, or the modules of that package, by name."""
    parts = [
        importlib.import_module(f"{module.__name__}.{part.name}")
        for part in pkgutil.iter_modules(getattr(module, "__path__", []))
    ]
    return {
        name: value
        for part in [module, *parts]
        for name, value in sorted(vars(part).items())
        if isinstance(value, type)
        and issubclass(value, msgspec.Struct)
        and value.__module__ == part.__name__
    }


def record_of(module: ModuleType) -> Record:
    """The record of a contract as it stands."""
    contract = getattr(module, module.__name__.rpartition(".")[2].capitalize())
    return {
        "messages": {
            name: message_record(message) for name, message in messages_of(module).items()
        },
        "methods": {
            method.name: [method.request.__name__, method.result.__name__]
            for method in methods_of(contract)
        },
        "refusals": {refusal.code: refusal.status for refusal in contract.refusals},
    }


def message_record(message: type[msgspec.Struct]) -> dict[str, Json]:
    described = mi.type_info(message)
    assert isinstance(described, mi.StructType)
    return {
        "full": _encoded(message, _sample(described, full=True)),
        "least": _sample(described, full=False),
        "words": {
            field.encode_name: sorted(map(str, words))
            for field in described.fields
            if (words := _words(field.type))
        },
        "null": sorted(field.encode_name for field in described.fields if _nullable(field.type)),
    }


def recorded(name: str) -> Record:
    """The record of a contract in its file; an empty one where it has none yet."""
    path = FOLDER / f"{name}.json"
    empty: Record = {"messages": {}, "methods": {}, "refusals": {}}
    return json.loads(path.read_text()) if path.exists() else empty


def broken_promises(name: str, old: Record, module: ModuleType) -> list[str]:
    """What ``old`` promised and ``module`` no longer keeps, one sentence each."""
    new = record_of(module)
    messages = messages_of(module)
    broken = [
        f"{name}: {kind} {key} was {value} and is {new[kind].get(key, 'gone')}"
        for kind in ("methods", "refusals")
        for key, value in old[kind].items()
        if new[kind].get(key) != value
    ]
    for key, before in old["messages"].items():
        where = f"{name}.{key}"
        if key not in messages:
            broken.append(f"{where} is gone")
            continue
        broken += _unread(where, before, messages[key])
        broken += _unreadable(where, before, new["messages"][key])
    return broken


def _unread(where: str, before: dict[str, Json], message: type[msgspec.Struct]) -> list[str]:
    broken = []
    for sample in ("full", "least"):
        try:
            msgspec.json.decode(json.dumps(before[sample]), type=message)
        except msgspec.ValidationError as error:
            broken.append(f"{where} as an older release sends it cannot be read: {error}")
    return broken


def _unreadable(where: str, before: dict[str, Json], now: dict[str, Json]) -> list[str]:
    broken = _differences(where, before["full"], now["full"])
    for field, words in before["words"].items():
        added = set(now["words"].get(field, words)) - set(words)
        broken += [f"{where}.{field}: no older release reads {word!r}" for word in sorted(added)]
    both = before["full"].keys() & now["full"].keys()
    for field in sorted(both & set(before["null"]) ^ both & set(now["null"])):
        broken.append(f"{where}.{field} may be null in one release and not in the other")
    return broken


def _differences(where: str, before: Json, now: Json) -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            line
            for key, value in before.items()
            for line in (
                _differences(f"{where}.{key}", value, now[key])
                if key in now
                else [f"{where}.{key} is gone"]
            )
        ]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = zip(before, now, strict=True)
        return [line for old, new in pairs for line in _differences(f"{where}[]", old, new)]
    same = type(before) is type(now) and before == now
    return [] if same else [f"{where} was sent as {before!r} and is sent as {now!r}"]


def _encoded(message: type[msgspec.Struct], sample: Json) -> Json:
    """``sample`` through the message's own type, so that a field which is not sent shows."""
    return json.loads(msgspec.json.encode(msgspec.convert(sample, message)))


def _nullable(described: mi.Type) -> bool:
    return isinstance(described, mi.UnionType) and described.includes_none


def _words(described: mi.Type) -> list[object]:
    match described:
        case mi.LiteralType(values=values):
            return list(values)
        case mi.UnionType(types=types):
            return [word for one in types for word in _words(one)]
        case mi.ListType(item_type=item) | mi.VarTupleType(item_type=item):
            return _words(item)
    return []


def _sample(described: mi.Type, *, full: bool) -> Json:
    """A JSON value of a type; the same type gives the same value in every release."""
    match described:
        case mi.StructType(fields=fields, tag_field=tag_field, tag=tag):
            sample = {
                field.encode_name: _sample(field.type, full=full)
                for field in fields
                if full or field.required
            }
            return sample | ({tag_field: tag} if tag_field else {})
        case mi.UnionType(types=types):
            return _sample(next(t for t in types if not isinstance(t, mi.NoneType)), full=full)
        case mi.ListType(item_type=item) | mi.VarTupleType(item_type=item):
            return [_sample(item, full=full)]
        case mi.DictType(value_type=value):
            return {"key": _sample(value, full=full)}
        case mi.LiteralType(values=values):
            return min(map(str, values))
        case mi.StrType():
            return "text"
        case mi.BytesType():
            return "Ynl0ZXM="
        case mi.BoolType():
            return True
        case mi.IntType():
            return 7
        case mi.FloatType():
            return 7.5
        case mi.DateTimeType():
            return "2026-01-02T03:04:05.678901Z"
    raise TypeError(f"golden samples know no {described}: teach them")
