"""The words of the synthetic world: for every value of every attribute the phrases that say it truly.

A phrase belongs to one value of one attribute of a kind, so a text can be read back without doubt.
"""

from collections.abc import Mapping, Sequence

from fashionbert.catalogue.synthetic.attributes import Kind

COLOUR_WORDS: Mapping[str, tuple[str, ...]] = {
    "black": ("black", "jet black"),
    "white": ("white", "snow white"),
    "grey": ("grey", "stone grey"),
    "navy": ("navy", "dark navy"),
    "blue": ("blue", "royal blue"),
    "light blue": ("light blue", "sky blue"),
    "teal": ("teal", "turquoise"),
    "green": ("green", "grass green"),
    "olive": ("olive", "khaki"),
    "yellow": ("yellow", "sunny yellow"),
    "orange": ("orange", "bright orange"),
    "red": ("red", "bright red"),
    "burgundy": ("burgundy", "wine"),
    "pink": ("pink", "rose"),
    "purple": ("purple", "violet"),
    "beige": ("beige", "sand"),
    "brown": ("brown", "chocolate"),
}
"""Colour -> its names, the common one first."""

NOUNS: Mapping[str, tuple[str, ...]] = {
    "T-shirt": ("T-shirt", "tee"),
    "Shirt": ("shirt",),
    "Sweater": ("sweater", "jumper"),
    "Hoodie": ("hoodie", "hooded sweatshirt"),
    "Dress": ("dress",),
    "Jumpsuit": ("jumpsuit",),
    "Trousers": ("trousers", "pants"),
    "Shorts": ("shorts",),
    "Skirt": ("skirt",),
    "Coat": ("coat",),
    "Jacket": ("jacket",),
    "Bag": ("bag", "handbag"),
}
"""Kind -> its names."""

PLURAL = frozenset({"Trousers", "Shorts"})
"""Kinds whose names are plural, so that no "a" stands before them."""

SURFACE_WORDS: Mapping[str, tuple[str, ...]] = {
    "plain": ("plain {colour}", "solid {colour}", "{colour}"),
    "contrast trim": ("{colour} {noun} with {second} trim", "{colour} {noun} with {second} edges"),
    "striped": ("{colour} {noun} with {second} stripes", "{colour} and {second} striped"),
    "vertically striped": (
        "{colour} {noun} with vertical {second} stripes",
        "{colour} and {second} vertically striped",
    ),
    "checked": ("{colour} and {second} checked", "{colour} {noun} with {second} checks"),
    "dotted": ("{colour} {noun} with {second} dots", "{colour} {noun} with {second} polka dots"),
    "floral": ("{colour} {noun} with {second} flowers", "{colour} {noun} with a {second} floral pattern"),
    "zigzag": ("{colour} {noun} with {second} zigzags", "{colour} {noun} with a {second} zigzag pattern"),
    "colour-block": ("{colour} and {second} colour-block", "two-tone {colour} and {second}"),
    "print": ("{colour} {noun} with a {second} {motif} print", "{colour} {noun} with a big {second} {motif}"),
}
"""Pattern -> how it is said; the noun follows where ``{noun}`` is not named."""

ADJECTIVES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sleeves": {"sleeveless": ("sleeveless",), "short": ("short-sleeved",), "long": ("long-sleeved",)},
    "length": {
        "cropped": ("cropped",),
        "mini": ("mini",),
        "midi": ("midi",),
        "maxi": ("maxi",),
        "small": ("small",),
        "large": ("large", "roomy"),
        "full": ("full-length",),
        "mid-thigh": ("mid-thigh",),
        "knee": ("knee-length",),
    },
    "cut": {
        "straight": ("straight",),
        "flared": ("flared",),
        "slim": ("slim",),
        "wide": ("wide",),
        "pleated": ("pleated",),
        "square": ("square",),
        "rounded": ("rounded",),
        "tapered": ("tapered",),
    },
}
"""Attribute -> value -> words that may stand before the noun."""

DETAILS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sleeves": {
        "sleeveless": ("no sleeves",),
        "short": ("short sleeves",),
        "three-quarter": ("three-quarter sleeves", "elbow-length sleeves"),
        "long": ("long sleeves", "full sleeves"),
    },
    "neckline": {
        "round": ("a round neckline", "a crew neck"),
        "v-neck": ("a v-neck", "a v-shaped neckline"),
        "square": ("a square neckline", "a square neck"),
        "high": ("a high neck", "a stand-up collar"),
        "pointed collar": ("a pointed collar", "a classic collar"),
        "band collar": ("a band collar", "a mandarin collar"),
        "lapels": ("wide lapels", "notched lapels"),
        "hood": ("a hood",),
    },
    "length": {
        "cropped": ("a cropped length",),
        "regular": ("a regular length",),
        "long": ("a long body",),
        "short": ("a short length",),
        "full": ("a full length",),
        "knee": ("a knee length",),
    },
    "cut": {
        "straight": ("a straight cut",),
        "flared": ("a flared cut",),
        "slim": ("a slim fit", "narrow legs"),
        "wide": ("a wide fit", "wide legs"),
        "pleated": ("pleats all around",),
        "square": ("square corners",),
        "rounded": ("rounded corners",),
        "tapered": ("a tapered shape",),
    },
    "closure": {
        "none": ("no fastening",),
        "buttons": ("buttons down the front", "a buttoned front"),
        "half placket": ("a half placket", "three buttons at the neck"),
        "zip": ("a zip", "a zip fastening"),
        "double-breasted": ("a double-breasted front", "two rows of buttons"),
        "open top": ("an open top",),
        "flap": ("a flap", "a flap closure"),
    },
    "pockets": {
        "none": ("no pockets",),
        "chest pocket": ("a chest pocket", "one pocket on the chest"),
        "two chest pockets": ("two chest pockets",),
        "patch pockets": ("patch pockets", "two patch pockets"),
        "kangaroo pocket": ("a kangaroo pocket",),
        "flap pockets": ("flap pockets", "pockets with flaps"),
        "side pockets": ("side pockets", "slanted side pockets"),
        "cargo pockets": ("cargo pockets", "big cargo pockets"),
        "front pocket": ("a front pocket", "a pocket on the front"),
    },
    "waist": {
        "none": ("no belt",),
        "belt": ("a belt", "a belted waist"),
        "buttoned": ("a buttoned waistband",),
        "drawstring": ("a drawstring waist", "a drawstring"),
        "elastic": ("an elastic waistband", "an elastic waist"),
    },
    "hem": {
        "straight": ("a straight hem",),
        "curved": ("a curved hem",),
        "ribbed": ("a ribbed hem",),
        "turned-up": ("turned-up hems", "turn-ups"),
        "ruffled": ("a ruffled hem", "a ruffle at the hem"),
    },
    "handles": {
        "two handles": ("two handles",),
        "single handle": ("a single handle",),
        "long strap": ("a long strap", "a long shoulder strap"),
    },
}
"""Attribute -> value -> words that may follow the noun."""


def adjectives(attribute: str, value: str) -> Sequence[str]:
    """List the words for a value that may stand before the noun; there may be none."""
    return ADJECTIVES.get(attribute, {}).get(value, ())


def details(attribute: str, value: str, kind: Kind) -> Sequence[str]:
    """List the words for a value that may follow the noun; there may be none."""
    words = DETAILS.get(attribute, {}).get(value, ())
    return [word for word in words if "legs" not in word or "pockets" in kind.attributes]
