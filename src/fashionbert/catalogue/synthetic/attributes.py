"""What can be for sale in the synthetic world: kinds of garments, their attributes, colours and patterns."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Rgb = tuple[int, int, int]

COLOURS: Mapping[str, Rgb] = MappingProxyType(
    {
        "black": (40, 40, 44),
        "white": (246, 245, 241),
        "grey": (146, 148, 152),
        "navy": (34, 46, 92),
        "blue": (44, 104, 198),
        "light blue": (164, 208, 236),
        "teal": (30, 148, 150),
        "green": (40, 130, 72),
        "olive": (122, 124, 66),
        "yellow": (246, 208, 72),
        "orange": (238, 128, 44),
        "red": (208, 42, 48),
        "burgundy": (116, 26, 54),
        "pink": (244, 164, 190),
        "purple": (124, 78, 164),
        "beige": (220, 200, 164),
        "brown": (118, 76, 46),
    }
)
"""Named colours, sRGB."""

PARTNERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "black": ("white", "red", "yellow", "pink", "grey", "light blue"),
        "white": ("navy", "red", "black", "green", "blue", "purple"),
        "grey": ("black", "yellow", "burgundy", "white", "navy", "orange"),
        "navy": ("white", "red", "beige", "light blue", "yellow", "pink"),
        "blue": ("white", "yellow", "black", "orange", "pink", "beige"),
        "light blue": ("navy", "white", "red", "brown", "purple", "green"),
        "teal": ("white", "black", "yellow", "pink", "beige", "burgundy"),
        "green": ("white", "beige", "yellow", "navy", "pink", "black"),
        "olive": ("white", "black", "orange", "pink", "light blue", "burgundy"),
        "yellow": ("navy", "black", "white", "red", "green", "purple"),
        "orange": ("white", "navy", "brown", "black", "teal", "yellow"),
        "red": ("white", "black", "navy", "beige", "yellow", "pink"),
        "burgundy": ("beige", "white", "pink", "light blue", "grey", "yellow"),
        "pink": ("red", "white", "burgundy", "navy", "green", "black"),
        "purple": ("white", "yellow", "pink", "black", "beige", "light blue"),
        "beige": ("brown", "black", "navy", "red", "green", "white"),
        "brown": ("beige", "white", "light blue", "orange", "yellow", "pink"),
    }
)
"""Second colours that go with a colour and stand out from it."""

PATTERNS = ("striped", "vertically striped", "checked", "dotted", "floral", "zigzag", "colour-block")
MOTIFS = ("star", "heart", "moon", "sun", "diamond", "flower")
NONE = "none"

ATTRIBUTES = (
    "colour",
    "pattern",
    "second_colour",
    "motif",
    "sleeves",
    "neckline",
    "length",
    "cut",
    "closure",
    "pockets",
    "waist",
    "hem",
    "handles",
)
"""Columns of the ground truth; an attribute that a kind does not have is empty."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """A kind of garment: its place in the shop and the values that each of its attributes can take."""

    name: str
    category: str
    attributes: Mapping[str, tuple[str, ...]]
    motifs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One garment: everything that its picture shows and its words may say."""

    kind: Kind
    attributes: Mapping[str, str]

    def __getitem__(self, attribute: str) -> str:
        """Give the value of an attribute, ``""`` where the kind has no such attribute."""
        return self.attributes.get(attribute, "")


_SLEEVES = ("sleeveless", "short", "three-quarter", "long")
_TOP_LENGTHS = ("cropped", "regular", "long")
_SKIRT_LENGTHS = ("mini", "midi", "maxi")
_WAISTS = ("buttoned", "drawstring", "belt", "elastic")


def _kind(name: str, category: str, motifs: tuple[str, ...] = (), **attributes: tuple[str, ...]) -> Kind:
    return Kind(name=name, category=category, attributes=MappingProxyType(attributes), motifs=motifs)


KINDS: tuple[Kind, ...] = (
    _kind(
        "T-shirt",
        "Tops",
        MOTIFS,
        sleeves=_SLEEVES,
        neckline=("round", "v-neck", "square", "high"),
        length=_TOP_LENGTHS,
        closure=(NONE, "half placket"),
        pockets=(NONE, "chest pocket"),
        hem=("straight", "curved"),
    ),
    _kind(
        "Shirt",
        "Tops",
        sleeves=_SLEEVES[1:],
        neckline=("pointed collar", "band collar"),
        length=_TOP_LENGTHS,
        closure=("buttons", "half placket"),
        pockets=(NONE, "chest pocket", "two chest pockets"),
        hem=("straight", "curved"),
    ),
    _kind(
        "Sweater",
        "Tops",
        MOTIFS,
        sleeves=_SLEEVES[1:],
        neckline=("round", "v-neck", "high"),
        length=_TOP_LENGTHS,
        closure=(NONE, "buttons"),
        pockets=(NONE, "patch pockets"),
        hem=("straight", "ribbed"),
    ),
    _kind(
        "Hoodie",
        "Tops",
        MOTIFS,
        sleeves=("sleeveless", "short", "long"),
        length=_TOP_LENGTHS,
        closure=(NONE, "zip", "buttons"),
        pockets=(NONE, "kangaroo pocket", "patch pockets"),
        hem=("straight", "ribbed"),
    ),
    _kind(
        "Dress",
        "Dresses",
        sleeves=_SLEEVES,
        neckline=("round", "v-neck", "square", "high", "pointed collar"),
        length=_SKIRT_LENGTHS,
        cut=("straight", "flared"),
        closure=(NONE, "buttons", "zip"),
        pockets=(NONE, "patch pockets"),
        waist=(NONE, "belt"),
    ),
    _kind(
        "Jumpsuit",
        "Dresses",
        sleeves=_SLEEVES,
        neckline=("round", "v-neck", "square", "pointed collar"),
        length=("short", "cropped", "full"),
        cut=("slim", "wide"),
        closure=(NONE, "buttons", "zip"),
        pockets=(NONE, "chest pocket"),
        waist=(NONE, "belt"),
    ),
    _kind(
        "Trousers",
        "Bottoms",
        length=("cropped", "full"),
        cut=("slim", "straight", "wide", "flared"),
        pockets=(NONE, "side pockets", "cargo pockets"),
        waist=_WAISTS,
        hem=("straight", "turned-up"),
    ),
    _kind(
        "Shorts",
        "Bottoms",
        length=("short", "mid-thigh", "knee"),
        cut=("slim", "wide"),
        pockets=(NONE, "side pockets", "cargo pockets"),
        waist=_WAISTS,
        hem=("straight", "turned-up"),
    ),
    _kind(
        "Skirt",
        "Bottoms",
        length=_SKIRT_LENGTHS,
        cut=("straight", "flared", "pleated"),
        closure=(NONE, "buttons", "zip"),
        pockets=(NONE, "patch pockets"),
        waist=("drawstring", "belt", "elastic"),
        hem=("straight", "ruffled"),
    ),
    _kind(
        "Coat",
        "Outerwear",
        neckline=("lapels", "high", "hood", "pointed collar"),
        length=("short", "knee", "long"),
        closure=("buttons", "double-breasted", "zip"),
        pockets=(NONE, "patch pockets", "flap pockets"),
        waist=(NONE, "belt"),
    ),
    _kind(
        "Jacket",
        "Outerwear",
        sleeves=("sleeveless", "long"),
        neckline=("lapels", "high", "hood", "pointed collar"),
        length=("cropped", "regular"),
        closure=("buttons", "double-breasted", "zip"),
        pockets=(NONE, "two chest pockets", "flap pockets"),
        hem=("straight", "ribbed"),
    ),
    _kind(
        "Bag",
        "Accessories",
        MOTIFS,
        length=("small", "large"),
        cut=("square", "rounded", "tapered"),
        closure=("open top", "zip", "flap"),
        pockets=(NONE, "front pocket"),
        handles=("two handles", "single handle", "long strap"),
    ),
)
