"""True words for an article: the same garment said in many ways, never a false one."""

from dataclasses import dataclass
from random import Random

from fashionbert.catalogue.synthetic.attributes import NONE, Article
from fashionbert.catalogue.synthetic.words import COLOUR_WORDS, NOUNS, PLURAL, SURFACE_WORDS, adjectives, details

_SAID = 0.92
_ABSENCE_SAID = 0.5
_ADJECTIVE = 0.5
_RARE_COLOUR_WORD = 0.2
_ORDINARY = {"hem": "straight", "length": "regular"}


@dataclass(frozen=True, slots=True)
class Caption:
    """The words of one product."""

    title: str
    description: str
    text: str


def write_caption(article: Article, rng: Random) -> Caption:
    """Describe an article: title, description, and the full text that training reads.

    Colour, pattern, second colour and motif are always said; every other attribute with probability 0.92, or 0.5
    where there is little to say ("no pockets", "a straight hem"). Which words, where and in which order is drawn.
    """
    before, after = _attribute_words(article, rng)
    noun = rng.choice(NOUNS[article.kind.name])
    title = _title(article, " ".join([*before, noun]), rng)
    description = _sentences(after, article.kind.name in PLURAL, rng)
    text = f"{_capital(title)}. {description}".strip()
    if after and rng.random() < 0.5:
        text = _one_sentence(title, after, article, rng)
    return Caption(title=_capital(title), description=description, text=text)


def _attribute_words(article: Article, rng: Random) -> tuple[list[str], list[str]]:
    before: list[str] = []
    after: list[str] = []
    for name in article.kind.attributes:
        value = article[name]
        dull = value == NONE or _ORDINARY.get(name) == value
        if rng.random() >= (_ABSENCE_SAID if dull else _SAID):
            continue
        short, long = adjectives(name, value), details(name, value, article.kind)
        if short and (not long or rng.random() < _ADJECTIVE):
            before.append(rng.choice(short))
        else:
            after.append(rng.choice(long))
    rng.shuffle(before)
    rng.shuffle(after)
    return before, after


def _title(article: Article, noun: str, rng: Random) -> str:
    surface = rng.choice(SURFACE_WORDS[article["pattern"]])
    if "{noun}" not in surface:
        surface += " {noun}"
    return surface.format(
        colour=_colour(article["colour"], rng),
        second=_colour(article["second_colour"], rng) if article["second_colour"] else "",
        motif=article["motif"],
        noun=noun,
    )


def _colour(colour: str, rng: Random) -> str:
    common, *rare = COLOUR_WORDS[colour]
    return rng.choice(rare) if rng.random() < _RARE_COLOUR_WORD else common


def _one_sentence(title: str, after: list[str], article: Article, rng: Random) -> str:
    if article.kind.name not in PLURAL and rng.random() < 0.5:
        title = f"{'an' if title[0] in 'aeiou' else 'a'} {title}"
    link = rng.choice(("featuring", "that comes with" if article.kind.name not in PLURAL else "that come with", "and"))
    if " with " not in title:
        link = "with"
    return _capital(f"{title} {link} {_listed(after)}.")


def _sentences(after: list[str], plural: bool, rng: Random) -> str:
    if not after:
        return ""
    verb = rng.choice(("They have", "Made with") if plural else ("It has", "Made with"))
    form = rng.randrange(3)
    if form == 0:
        return f"{verb} {_listed(after)}."
    if form == 1 or len(after) < 3:
        return _capital(_listed(after)) + "."
    cut = rng.randrange(1, len(after))
    return f"{_capital(_listed(after[:cut]))}. {_capital(_listed(after[cut:]))}."


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
