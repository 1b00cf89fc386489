"""Pictures that stand for a title."""

import msgspec

from cuemark.kit.errors import Refusal


class CardImpossible(Refusal):
    code = "card_impossible"
    status = 422


class ArtworkFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that could stand for the film.

    ``sharpness`` is the mean response of a Laplacian in levels of luma, of the frame at 128 by 72;
    ``brightness`` the mean luma, 0 to 1.
    """

    frame: int
    sharpness: float
    brightness: float


class ArtworkCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """``picture_key`` is of a JPEG in the object store; ``number`` counts from 1, the best one."""

    number: int
    picture_key: str
    at_s: float
    frame: ArtworkFrame


class DrawTitleCard(msgspec.Struct, frozen=True, kw_only=True):
    """``picture_key`` is of a candidate's picture; ``name`` is what is set in type over it."""

    picture_key: str
    name: str


class TitleCard(msgspec.Struct, frozen=True, kw_only=True):
    """``picture_key`` is of a JPEG in the object store; another name or picture has another one."""

    picture_key: str
