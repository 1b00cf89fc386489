"""The roles of staff, as an installation has them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cuemark.contexts.identity.wiring import Roles


def roles_in(root: Path, name: str) -> "Roles":
    """With the policies of the file ``name`` in the data folder, if one is named.

    Raises ``PoliciesInvalid`` in a sentence for whoever wrote them.
    """
    from cuemark.contexts.identity.wiring import PoliciesInvalid, Roles
    from cuemark.gateway.staff.actions import ACTIONS

    own, path = "", root / name
    if name:
        try:
            own = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PoliciesInvalid(
                f"{path}, which `staff_policies` names, cannot be read: {error}"
            ) from error
    return Roles(list(ACTIONS), own, str(path))
