"""``python -m cuemark.app.cli``: the same as the command ``cuemark``."""

from cuemark.app.cli.main import main

main()
