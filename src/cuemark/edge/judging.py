"""How nginx alone judges a request whose token njs has judged before.

njs costs many times what a small file does, so it judges a token once (``verify.js``) and leaves
a line in a shared table; from then on two lookups and two patterns do, for a plain request. What
the line says is held against the request at each: the whole token, the version, the network, the
time, the token keys in force and the revoked sessions. Whatever is not in the table, or not plain
(a condition, a marked segment, another method), goes to njs, which is always right.

    granted    slot -> token version address bucket session mark expires_at_s
    in_force   bucket -> mark, then each revoked session of that bucket, with a space after each

A slot is three characters of the token's tag, so the table is bounded: a token takes the place of
one that has the same. ``mark`` stands for the keys in force; ``address`` is the client's where the
token is bound to a network, else ``-``. Texts of clients are in no pattern but in forms that can
hold no space, so that nobody can write a verdict.
"""

from cuemark.edge.nginx import MARKED_FORM, PATH_FORM, VERSION_FORM

_TOKEN = "[A-Za-z0-9_-]{24,1020}(?<asked_slot>[A-Za-z0-9_-]{3})[A-Za-z0-9_-]"
_NOT_MARKED = rf"(?!(?:[^/?]*/)*[abx]{MARKED_FORM}(?:\?|$))"
_ASKED = (
    rf"^/t/(?<asked_token>{_TOKEN})/(?<asked_version>{VERSION_FORM})/"
    rf"{_NOT_MARKED}(?<asked_path>{PATH_FORM})(?:\?|$)"
)

# A later time is greater in the first digit in which the two differ, and both have as many digits.
_LATER = "|".join(rf"{d}\d* \g{{same}}[0-{d - 1}]" for d in range(1, 10))
IN_TIME = (
    r"^1 (?<token>\S+) (?<version>\S+) (?<client>\S+)\|"
    r"\g{token} \g{version} (?:-|\g{client}) "
    r"(?<held_bucket>\S+) (?<held_session>\S+) (?<held_mark>\S+) "
    rf"(?<same>\d{{0,9}})(?:{_LATER})"
)
IN_FORCE = r"^1 (?<mark>\S+) (?<session>\S+)\|\g{mark} (?!(?:\S+ )*?\g{session} )"

NO_MAPS = """
    js_var $granted "";
    js_var $asked_version "";
    js_var $asked_path "";"""
"""What stands for the maps in an nginx without keyval: all is judged by njs."""

MAPS = rf"""
    keyval_zone zone=granted:64m timeout=300s;
    keyval_zone zone=in_force:8m;
    keyval "$asked_slot" $held_verdict zone=granted;
    keyval "$held_bucket" $held_standing zone=in_force;
    js_var $slot_written "";
    js_var $bucket_written "";
    keyval "$slot_written" $verdict_written zone=granted;
    keyval "$bucket_written" $standing_written zone=in_force;
    map $request_method $reads {{
        default "";
        GET 1;
        HEAD 1;
    }}
    map $http_if_none_match $plain {{
        default "";
        "" $reads;
    }}
    map $request_uri $asked {{
        default "";
        "~{_ASKED}" $plain;
    }}
    map "$asked $asked_token $asked_version $remote_addr|$held_verdict $msec" $in_time {{
        default "";
        "~{IN_TIME}" 1;
    }}
    map "$in_time $held_mark $held_session|$held_standing" $granted {{
        default "";
        "~{IN_FORCE}" 1;
    }}"""
"""The maps that end in ``$granted``: 1 where nginx may serve without asking njs."""
