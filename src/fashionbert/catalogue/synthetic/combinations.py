"""Which garments the n-th group of the world holds: every group another combination, without remembering earlier ones.

The combinations of a kind are numbered, and a seeded permutation of those numbers is walked. So a group needs no
knowledge of its neighbours or of the size of the world, memory stays constant, and no combination comes twice.
"""

import hashlib
from functools import cache
from itertools import product
from math import prod

from fashionbert.catalogue.synthetic.attributes import COLOURS, KINDS, PARTNERS, PATTERNS, Article, Kind
from fashionbert.errors import SettingsError

_PLAIN_EVERY = 4
_COLOURWAYS_EVERY = 16
_ROUNDS = 4

Surface = tuple[tuple[str, ...], str, str, str]
"""Colours (two where a design is sold in two colourways), pattern, second colour, motif; the last two may be empty."""


def group_articles(seed: int, group: int) -> list[Article]:
    """Give the articles of a group; in about 5 % of the groups there are two that differ in their main colour alone.

    The kinds take turns, and every fourth garment of a kind has no pattern.

    Args:
        seed: seed of the world.
        group: number of the group.

    Returns:
        One article, or two.

    Raises:
        SettingsError: the world has not so many different groups.
    """
    if group >= largest_world():
        raise SettingsError(f"group {group} does not exist", [f"the world has only {largest_world()} different groups"])
    turn, kind_number = divmod(group, len(KINDS))
    kind = KINDS[kind_number]
    cycle, place = divmod(turn, _PLAIN_EVERY)
    plain = place == 0
    counter = cycle if plain else cycle * (_PLAIN_EVERY - 1) + place - 1
    surfaces = _surfaces(kind, plain)
    size = combinations(kind, plain)
    shape, surface = divmod(permuted(counter, size, f"{seed}/{kind.name}/{plain}"), len(surfaces))
    colours, pattern, second, motif = surfaces[surface]
    rest = {"pattern": pattern, "second_colour": second, "motif": motif}
    for name, values in kind.attributes.items():
        shape, value = divmod(shape, len(values))
        rest[name] = values[value]
    return [Article(kind=kind, attributes={"colour": colour, **rest}) for colour in colours]


def combinations(kind: Kind, plain: bool) -> int:
    """Count the different groups of a kind, without a pattern or with one."""
    return len(_surfaces(kind, plain)) * prod(len(values) for values in kind.attributes.values())


@cache
def largest_world() -> int:
    """Count the groups until some kind runs out of new combinations."""
    turns = [
        min(_PLAIN_EVERY * combinations(kind, True), _PLAIN_EVERY * (combinations(kind, False) // (_PLAIN_EVERY - 1)))
        for kind in KINDS
    ]
    return min(turns) * len(KINDS)


def permuted(number: int, size: int, key: str) -> int:
    """Map 0 .. size - 1 one-to-one onto itself, in an order that the key alone decides.

    A Feistel network over the next even number of bits, walked until it falls below ``size``
    (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, section 4).
    """
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    low = (1 << half) - 1
    while True:
        left, right = number >> half, number & low
        for turn in range(_ROUNDS):
            left, right = right, left ^ (_hash(f"{key}/{turn}/{right}") & low)
        number = left << half | right
        if number < size:
            return number


@cache
def _surfaces(kind: Kind, plain: bool) -> tuple[Surface, ...]:
    if plain:
        designs = [("plain", "", ""), *(("contrast trim", second, "") for second in COLOURS)]
    else:
        designs = [(pattern, second, "") for pattern, second in product(PATTERNS, COLOURS)]
        designs += [("print", second, motif) for second, motif in product(COLOURS, kind.motifs)]
    surfaces: list[Surface] = []
    for pattern, second, motif in designs:
        colours = [colour for colour in COLOURS if not second or second in PARTNERS[colour]]
        while colours:
            ways = 2 if len(surfaces) % _COLOURWAYS_EVERY == 0 and len(colours) > 1 else 1
            surfaces.append((tuple(colours[:ways]), pattern, second, motif))
            del colours[:ways]
    return tuple(surfaces)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
