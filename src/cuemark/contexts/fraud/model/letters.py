"""What is written to a member whose account looks as if it was shared."""

from datetime import timedelta

from cuemark.kit.mail.letter import Letter, Link, letter

NOTICE_LASTS = timedelta(days=3)


def shared(service_name: str, base_url: str, email: str) -> Letter:
    return letter(
        to=email,
        subject=f"{service_name}: your account is used in another home",
        greeting="Hello,",
        paragraphs=[
            "for some time your account has been used in another home on the same days as in "
            "yours. An account is for one household, wherever that household is.",
            "If these are your own devices, you need do nothing: nothing is taken from you. If "
            "you do not know them, end them on the page of your account and choose another "
            "password.",
        ],
        link=Link("See your devices", f"{base_url.rstrip('/')}/account"),
        after=[],
        signed=service_name,
    )
