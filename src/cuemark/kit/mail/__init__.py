"""Letters to people by mail: written where they are caused, sent when the way is open.

``Post.put`` writes a letter into the transaction of what causes it, so there is never the one
without the other. ``Sender`` takes letters from the table and hands them to a way: a folder of
``.eml`` files, or an SMTP server. A letter is sent at least once; its Message-ID is the same each
time, so that a double is known as one.
"""

from pathlib import Path

SCHEMA = "mail"
MIGRATIONS = Path(__file__).parent / "migrations"
