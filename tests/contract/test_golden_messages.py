"""Every message reads and is read across releases; see ``tests.contract.golden``."""

from datetime import datetime
from types import ModuleType
from typing import ClassVar, Literal, Protocol

import msgspec
import pytest

from cuemark.kit.errors import Refusal
from tests.contract import golden


@pytest.mark.parametrize("name", golden.contract_modules())
def test_no_promise_is_broken(name: str) -> None:
    broken = golden.broken_promises(name, golden.recorded(name), golden.contract_modules()[name])
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("name", golden.contract_modules())
def test_every_promise_is_recorded(name: str) -> None:
    record = golden.record_of(golden.contract_modules()[name])
    assert record == golden.recorded(name), f"additions to {name}: run `{golden.COMMAND}`"


def test_every_context_has_a_record() -> None:
    files = {path.stem for path in golden.FOLDER.glob("*.json")}
    assert files == set(golden.contract_modules())


class Bad(Refusal):
    code = "bad"
    status = 409


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    count: int
    at: datetime
    mood: Literal["calm", "keen"] = "calm"
    note: str | None = None
    tags: list[str] = []


def contract_with(ask: type[msgspec.Struct], refusal: type[Refusal] = Bad) -> ModuleType:
    """A contract module named ``toys`` whose one method takes and gives ``ask``."""

    class Toys(Protocol):
        refusals: ClassVar[tuple[type[Refusal], ...]] = (refusal,)

        async def play(self, request: msgspec.Struct) -> msgspec.Struct: ...

    Toys.play.__annotations__.update({"request": ask, "return": ask})
    module = ModuleType("cuemark.contracts.toys")
    ask.__module__ = module.__name__
    module.__dict__.update({"Toys": Toys, "Ask": ask})
    return module


def changed(*, without: str = "", **fields: tuple[object, ...]) -> ModuleType:
    """The contract with other fields of ``Ask``: a type, or a type and a default."""
    all_fields: dict[str, tuple[object, ...]] = {
        "name": (str,),
        "count": (int,),
        "at": (datetime,),
        "mood": (Literal["calm", "keen"], "calm"),
        "note": (str | None, None),
        "tags": (list[str], []),
    } | fields
    all_fields.pop(without, None)
    described = [(name, *rest) for name, rest in all_fields.items()]
    ask = msgspec.defstruct("Ask", described, frozen=True, kw_only=True)  # type: ignore[arg-type]
    return contract_with(ask)


OLD = golden.record_of(contract_with(Ask))


@pytest.mark.parametrize(
    "module",
    [
        changed(),
        changed(extra=(str, "")),
        changed(count=(int, 3)),
        changed(nested=(list[int], [])),
    ],
)
def test_an_addition_breaks_nothing(module: ModuleType) -> None:
    assert golden.broken_promises("toys", OLD, module) == []


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (changed(without="name"), "toys.Ask.name is gone"),
        (changed(without="name", title=(str,)), "toys.Ask.name is gone"),
        (changed(extra=(str,)), "missing required field `extra`"),
        (changed(note=(str | None,)), "missing required field `note`"),
        (changed(note=(str, "")), "toys.Ask.note may be null in one release"),
        (changed(name=(str | None, None)), "toys.Ask.name may be null in one release"),
        (changed(name=(int,)), "Expected `int`, got `str`"),
        (changed(count=(float,)), "toys.Ask.count was sent as 7 and is sent as 7.5"),
        (changed(count=(str,)), "Expected `str`, got `int`"),
        (changed(at=(str,)), "toys.Ask.at was sent"),
        (changed(tags=(list[int], [])), "Expected `int`, got `str`"),
        (changed(tags=(str, "")), "Expected `str`, got `array`"),
        (changed(mood=(Literal["calm", "keen", "wild"], "calm")), "no older release reads 'wild'"),
        (changed(mood=(Literal["keen"], "keen")), "Invalid enum value 'calm'"),
        (contract_with(Ask, Refusal), "refusals bad was 409 and is gone"),
    ],
)
def test_a_change_that_an_older_release_cannot_live_with_is_told(
    module: ModuleType, sentence: str
) -> None:
    broken = golden.broken_promises("toys", OLD, module)
    assert any(sentence in line for line in broken), broken


def test_a_message_that_is_gone_is_told() -> None:
    module = contract_with(Ask)
    del module.__dict__["Ask"]
    assert "toys.Ask is gone" in golden.broken_promises("toys", OLD, module)
