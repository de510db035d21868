import re
from collections.abc import Iterable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from fashionbert.catalogue.synthetic.attributes import ATTRIBUTES, COLOURS, KINDS, MOTIFS, Article, Kind
from fashionbert.catalogue.synthetic.captions import write_caption
from fashionbert.catalogue.synthetic.combinations import group_articles
from fashionbert.catalogue.synthetic.words import COLOUR_WORDS, NOUNS, adjectives, details

PATTERN_SIGNS = {
    r"vertical(?:ly striped)?|vertical": "vertically striped",
    r"striped|stripes": "striped",
    r"checked|checks": "checked",
    r"polka dots|dots": "dotted",
    r"flowers|floral pattern": "floral",
    r"zigzags|zigzag pattern": "zigzag",
    r"colour-block|two-tone": "colour-block",
    r"trim|edges": "contrast trim",
    r"plain|solid": "plain",
}
FILLERS = {"a", "an", "and", "with", "in", "featuring", "that", "comes", "come", "made", "it", "they", "has", "have"}
COLOUR_OF = {word: colour for colour, words in COLOUR_WORDS.items() for word in words}


def take(text: str, phrases: Iterable[str]) -> tuple[list[str], str]:
    """Cut the phrases out of the text, longest first; give what was found and what is left."""
    pattern = "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))
    found = re.findall(rf"(?<![\w-])(?:{pattern})(?![\w-])", text)
    return found, re.sub(rf"(?<![\w-])(?:{pattern})(?![\w-])", " ", text)


def lexicon(kind: Kind) -> dict[str, tuple[str, str]]:
    said = {}
    for name, values in kind.attributes.items():
        for value in values:
            for phrase in (*adjectives(name, value), *details(name, value, kind)):
                assert said.setdefault(phrase, (name, value)) == (name, value), f"{phrase!r} means two things"
    return said


def read_back(text: str, kind: Kind) -> dict[str, str]:
    """Read the attributes that a text states, refusing any word that is not understood."""
    said = lexicon(kind)
    _, rest = take(text.lower(), [noun.lower() for noun in NOUNS[kind.name]])
    phrases, rest = take(rest, said)
    stated = {}
    for phrase in phrases:
        name, value = said[phrase]
        assert stated.setdefault(name, value) == value
    colours, rest = take(rest, COLOUR_OF)
    stated["colour"] = COLOUR_OF[colours[0]]
    stated["second_colour"] = COLOUR_OF[colours[1]] if len(colours) > 1 else ""
    assert len(colours) <= 2
    stated["pattern"] = "plain"
    stated["motif"] = ""
    motif, rest = take(rest, [f"{motif} print" for motif in MOTIFS] + list(MOTIFS))
    if motif:
        stated["pattern"], stated["motif"] = "print", motif[0].split()[0]
        rest = re.sub(r"\bbig\b", " ", rest)
    for sign, pattern in PATTERN_SIGNS.items():
        if re.search(rf"\b(?:{sign})\b", rest):
            stated["pattern"] = pattern
            rest = re.sub(rf"\b(?:{sign}|stripes)\b", " ", rest)
            break
    unknown = set(re.findall(r"[\w-]+", rest)) - FILLERS
    assert not unknown, (unknown, text)
    return stated


@given(seed=st.integers(0, 2**20), group=st.integers(0, 50_000))
@settings(max_examples=300, deadline=None)
def test_every_word_is_true(seed: int, group: int) -> None:
    for article in group_articles(seed, group):
        caption = write_caption(article, Random(seed))
        stated = read_back(caption.text, article.kind)
        assert stated == {name: article[name] for name in stated}
        summary = read_back(f"{caption.title}. {caption.description}", article.kind)
        assert summary == stated


def test_most_attributes_are_stated() -> None:
    shares = []
    for group in range(600):
        article = group_articles(1, group)[0]
        stated = read_back(write_caption(article, Random(group)).text, article.kind)
        present = [name for name in article.kind.attributes if article[name] != "none"]
        shares.append(sum(name in stated for name in present) / len(present))
    assert sum(shares) / len(shares) > 0.8


def test_one_garment_is_said_in_many_ways() -> None:
    article = group_articles(0, 4)[0]
    texts = {write_caption(article, Random(number)).text for number in range(100)}
    assert len(texts) > 90


def test_a_caption_by_hand() -> None:
    kind = next(kind for kind in KINDS if kind.name == "Bag")
    article = Article(
        kind=kind,
        attributes={"colour": "red", "pattern": "plain", "second_colour": "", "motif": ""}
        | {"length": "small", "cut": "square", "closure": "zip", "pockets": "front pocket", "handles": "long strap"},
    )
    caption = write_caption(article, Random(8))
    stated = read_back(caption.text, kind)
    assert stated["colour"] == "red"
    assert caption.title[0].isupper()
    assert caption.text.endswith(".")
    assert caption.title.count("bag") == 1


def test_no_word_means_two_colours() -> None:
    words = [word for words in COLOUR_WORDS.values() for word in words]
    assert len(set(words)) == len(words)
    assert set(COLOUR_WORDS) == set(COLOURS)


def test_every_value_can_be_said() -> None:
    for kind in KINDS:
        assert set(kind.attributes) <= set(ATTRIBUTES)
        for name, values in kind.attributes.items():
            for value in values:
                assert adjectives(name, value) or details(name, value, kind), (kind.name, name, value)
