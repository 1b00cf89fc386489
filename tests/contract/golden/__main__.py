"""Record what the contracts promise: ``python -m tests.contract.golden``."""

import json
import sys

from tests.contract.golden import FOLDER, broken_promises, contract_modules, record_of, recorded


def main() -> None:
    modules = contract_modules()
    broken = [
        line
        for name, module in modules.items()
        for line in broken_promises(name, recorded(name), module)
    ]
    if broken:
        sys.exit("These promises are broken, nothing was recorded:\n  " + "\n  ".join(broken))
    for name, module in modules.items():
        text = json.dumps(record_of(module), indent=1, sort_keys=True)
        (FOLDER / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
