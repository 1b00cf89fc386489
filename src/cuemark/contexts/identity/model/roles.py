"""What a role of staff may do, by Cedar policies: those of the package, and an installation's own.

A policy speaks of ``Role::"support"``, of ``Action::"plays.stop"``, or of ``Action::"read"``, in
which are all actions whose verb is that. What no policy permits is refused, and ``forbid`` wins.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cuemark.kit.errors import OperatorError

PACKAGED = Path(__file__).parent.parent / "roles.cedar"
_READ = "read"
_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class PoliciesInvalid(OperatorError):
    """The installation's own policies cannot be read, or speak of what there is not."""


class Roles:
    """The roles and what each allows, worked out once: policies do not change while this runs.

    ``actions`` is every action that there is. ``own`` are further policies, and ``where`` is what
    they are called when something is wrong with them.
    """

    def __init__(self, actions: Sequence[str], own: str = "", where: str = "") -> None:
        self._actions = sorted(actions)
        self._schema = json.dumps({"": _schema(self._actions)})
        if own:
            _check(own, self._schema, where)
        self._policies = f"{PACKAGED.read_text(encoding='utf-8')}\n{own}"
        self.names = sorted(_roles_in(self._policies))
        for name in self.names:
            if not _ROLE.fullmatch(name):
                raise PoliciesInvalid(
                    f"{where}: a role is called {name!r}: write small letters, digits, - and _"
                )
        self._allowed = cache(self._work_out)

    def allowed(self, role: str) -> list[str]:
        """Every action that the role allows; none where there is no such role."""
        return list(self._allowed(role)) if role in self.names else []

    def allows(self, role: str, action: str) -> bool:
        return role in self.names and action in self._allowed(role)

    def covers(self, role: str, other: str) -> bool:
        """Whether a role may do all that another may."""
        return set(self.allowed(other)) <= set(self.allowed(role))

    def _work_out(self, role: str) -> tuple[str, ...]:
        staff = {"uid": {"type": "Staff", "id": role}, "attrs": {}}
        entities = [staff | {"parents": [{"type": "Role", "id": role}]}]
        import cedarpy

        asked = [
            {
                "principal": f"Staff::{json.dumps(role)}",
                "action": f"Action::{json.dumps(action)}",
                "resource": 'Service::"this"',
                "context": {},
            }
            for action in self._actions
        ]
        answers = cedarpy.is_authorized_batch(asked, self._policies, entities, schema=self._schema)
        return tuple(
            action
            for action, answer in zip(self._actions, answers, strict=True)
            if answer.allowed and not answer.diagnostics.errors
        )


def _schema(actions: Sequence[str]) -> dict[str, object]:
    applies = {"principalTypes": ["Staff"], "resourceTypes": ["Service"]}
    known: dict[str, object] = {_READ: {}}
    for action in actions:
        group = [{"id": _READ}] if action.rpartition(".")[2] == _READ else []
        known[action] = {"appliesTo": applies, "memberOf": group}
    types: dict[str, object] = {"Staff": {"memberOfTypes": ["Role"]}, "Role": {}, "Service": {}}
    return {"entityTypes": types, "actions": known}


def _check(own: str, schema: str, where: str) -> None:
    """Raises ``PoliciesInvalid`` in a sentence that says where."""
    import cedarpy

    try:
        cedarpy.policies_to_json_str(own)
    except ValueError as error:
        raise PoliciesInvalid(f"{where} is no Cedar: {_line(str(error))}") from error
    verdict = cedarpy.validate_policies(own, schema)
    if not verdict.validation_passed:
        raise PoliciesInvalid(f"{where}: {_line(str(verdict.errors[0].error))}")


def _roles_in(policies: str) -> set[str]:
    # It takes a seventh of a second to import, and only who decides needs it.
    import cedarpy

    found: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            if value.get("type") == "Role" and isinstance(value.get("id"), str):
                found.add(value["id"])
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(json.loads(cedarpy.policies_to_json_str(policies)))
    return found


def _line(text: str) -> str:
    return " ".join(text.split())
