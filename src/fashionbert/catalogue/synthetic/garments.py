"""The pattern book: from an article to the shapes that it is sewn from."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from fashionbert.catalogue.synthetic.attributes import Article
from fashionbert.catalogue.synthetic.bags import bag
from fashionbert.catalogue.synthetic.bodies import Body, armholes, belt, sleeves, torso
from fashionbert.catalogue.synthetic.bottoms import legs, skirt, trousers
from fashionbert.catalogue.synthetic.fittings import closure, motif, pockets
from fashionbert.catalogue.synthetic.necks import NECK_BOTTOM, behind, collar
from fashionbert.catalogue.synthetic.shapes import Panel, Shape, Stroke, bend, both, box

_TOP_ENDS = {"cropped": 206.0, "regular": 258.0, "long": 312.0}
_COAT_ENDS = {"short": 270.0, "knee": 326.0, "long": 382.0}
_DRESS_ENDS = {"mini": 254.0, "midi": 316.0, "maxi": 384.0}
_JUMPSUIT_ENDS = {"short": 286.0, "cropped": 334.0, "full": 384.0}


def shapes_of(article: Article) -> list[Shape]:
    """Draw an article as shapes, from back to front."""
    return _BOOK[article.kind.name](article)


def _top(article: Article) -> list[Shape]:
    end = _TOP_ENDS[article["length"]]
    knitted = article.kind.name in ("Sweater", "Hoodie")
    body = Body(hem_y=end, waist=54, hem=57, sleeve_width=50, cuff_width=30) if knitted else Body(hem_y=end)
    fixed = {"Hoodie": "hood"}.get(article.kind.name, article["neckline"])
    shapes = _upper(article, body, fixed)
    if article["motif"]:
        shapes += motif(article["motif"], (0, 152), 27)
    pouch = 8 if article["hem"] == "ribbed" else 0
    return [
        *shapes,
        *pockets(article["pockets"], body.waist, body.waist_y, end - pouch),
        *closure(article["closure"], NECK_BOTTOM[fixed] + 4, end - 2),
        *collar(fixed),
    ]


def _dress(article: Article) -> list[Shape]:
    end = _DRESS_ENDS[article["length"]]
    flare = 46.0 * (end - 180) / 200 + 10 if article["cut"] == "flared" else 2.0
    body = Body(waist=43, chest=50, hem=52 + flare, hem_y=end, sleeve_width=42, cuff_width=30)
    shapes = _upper(article, body, article["neckline"])
    if article["cut"] == "flared":
        folds = [Stroke(bend((14 * s, 200), (18 * s, 230), (30 * s, end)), "seam", 1.6) for s in (-2, -1, 1, 2)]
        shapes += folds
    return [
        *shapes,
        *pockets(article["pockets"], body.waist + 6, body.waist_y + 6, end),
        *closure(article["closure"], NECK_BOTTOM[article["neckline"]] + 4, end - 4),
        *_belt(article, body),
        *collar(article["neckline"]),
    ]


def _jumpsuit(article: Article) -> list[Shape]:
    body = Body(waist=43, chest=50, hem=46, hem_y=194, sleeve_width=42, cuff_width=30)
    shapes = legs(article["cut"], 43, 182, _JUMPSUIT_ENDS[article["length"]], rise=64)
    return [
        *shapes,
        *_upper(article, replace(body, hem_y=188), article["neckline"]),
        *pockets(article["pockets"], body.waist, body.waist_y, 400),
        *closure(article["closure"], NECK_BOTTOM[article["neckline"]] + 4, 234),
        *_belt(article, body),
        *collar(article["neckline"]),
    ]


def _coat(article: Article) -> list[Shape]:
    end = _COAT_ENDS[article["length"]]
    body = Body(shoulder=62, chest=57, waist=56, hem=66, hem_y=end, sleeve_width=52, cuff_width=38)
    return _outerwear(article, body, "long", "straight")


def _jacket(article: Article) -> list[Shape]:
    end = {"cropped": 216.0, "regular": 272.0}[article["length"]]
    body = Body(shoulder=62, chest=57, waist=56, hem=58, hem_y=end, sleeve_width=54, cuff_width=36)
    return _outerwear(article, body, article["sleeves"], article["hem"])


def _outerwear(article: Article, body: Body, sleeve: str, hem: str) -> list[Shape]:
    neckline = article["neckline"]
    return [
        *_upper(article, body, neckline, sleeve, hem),
        *pockets(article["pockets"], body.waist, body.waist_y, body.hem_y - 4),
        Stroke([(0, NECK_BOTTOM[neckline]), (0, body.hem_y + 3)], "seam", 2.0),
        *closure(article["closure"], NECK_BOTTOM[neckline] + 4, body.hem_y - 3),
        *_belt(article, body),
        *collar(neckline),
    ]


def _upper(article: Article, body: Body, neckline: str, sleeve: str = "", hem: str = "") -> list[Shape]:
    sleeve, hem = sleeve or article["sleeves"], hem or article["hem"]
    sleeveless = sleeve == "sleeveless"
    return [
        *behind(neckline),
        *sleeves(body, sleeve),
        *torso(body, neckline, sleeveless, hem),
        *([] if sleeveless else armholes(body)),
    ]


def _belt(article: Article, body: Body) -> list[Shape]:
    if article["waist"] != "belt":
        return []
    loops = both(Panel(box(28, body.waist_y - 9, 32, body.waist_y + 9), "fabric"))
    return [*belt(body.waist + 1, body.waist_y), *loops]


_BOOK: Mapping[str, Callable[[Article], list[Shape]]] = {
    "T-shirt": _top,
    "Shirt": _top,
    "Sweater": _top,
    "Hoodie": _top,
    "Dress": _dress,
    "Jumpsuit": _jumpsuit,
    "Trousers": trousers,
    "Shorts": trousers,
    "Skirt": skirt,
    "Coat": _coat,
    "Jacket": _jacket,
    "Bag": bag,
}
