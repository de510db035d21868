"""What is asked of a search, and what it answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fashionbert.errors import QueryError
from fashionbert.search.pictures import SeenPicture
from fashionbert.types import GroupId, ImageInput, ProductId

LONGEST_TEXT = 10_000
"""Characters; a model reads a hundred words, and a book pasted by mistake should not be cut to its first page."""
MOST_HITS = 1000
MOST_TICKED = 50
"""Attributes of which values are ticked."""
MOST_TICKS = 200
"""Ticked values of an attribute."""
LONGEST_TICK = 500
"""Characters of a ticked value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question: words, a picture, products to be like or unlike, in any combination.

    Attributes:
        text: what is wanted, in words.
        image: a picture of what is wanted, as users hold it or decoded already by ``SearchEngine.look``.
        unwanted: words that what is found must not match (``sleeveless``).
        more_like: products whose like is wanted.
        less_like: products whose like is not.
        hidden: products that are not to be shown, such as those seen already; with the rest of their group. Those that
            the index no longer has do no harm.
        filter: a condition on attributes (``price < 50 and colour = red``); see :mod:`fashionbert.search.filters`.
        ticked: values by attribute, of which what is shown has one each; beside the filter. They are looked up as they
            are and are no text of a filter. An attribute without any is left out.
        top: cards to return at most.
        rerank: how many of the recalled cards the pair model puts in order; 0: none.
        words: whether products that hold the query's words join what the vectors recall, and stand higher for it.
    """

    text: str = ""
    image: ImageInput | SeenPicture | None = None
    unwanted: tuple[str, ...] = ()
    more_like: tuple[ProductId, ...] = ()
    less_like: tuple[ProductId, ...] = ()
    hidden: tuple[ProductId, ...] = ()
    filter: str = ""
    ticked: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]], hash=False)
    top: int = 20
    rerank: int = 50
    words: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be asked, all at once.

        Raises:
            QueryError: with every fault.
        """
        faults = _faults_of_types(self)
        if faults:
            raise QueryError("the query cannot be answered", faults)
        for name, text in [("text", self.text), *(("not", text) for text in self.unwanted)]:
            if len(text) > LONGEST_TEXT:
                faults.append(f"{name} has {len(text):,} characters, more than {LONGEST_TEXT:,}: shorten it")
        faults += _faults_of_ticks(self.ticked)
        if any(not text.strip() for text in self.unwanted):
            faults.append("not is empty: say what should not be there, or leave it out")
        if not 1 <= self.top <= MOST_HITS:
            faults.append(f"top = {self.top} should be from 1 to {MOST_HITS}")
        if not 0 <= self.rerank <= MOST_HITS:
            faults.append(f"rerank = {self.rerank} should be from 0 to {MOST_HITS}")
        if faults:
            raise QueryError("the query cannot be answered", faults)

    @property
    def asks(self) -> bool:
        """Whether there is anything to rank by; a query that asks nothing shows the catalogue in its own order."""
        return bool(self.text.strip() or self.image is not None or self.unwanted or self.more_like or self.less_like)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A card: one product that stands for its group.

    Attributes:
        product_id: the product.
        group_id: its group, of which it matches best.
        text: its words.
        category: its category.
        subcategory: its subcategory.
        attributes: its other attributes.
        view: number of the picture that matches best.
        picture: where that picture lies in the catalogue.
        recall: similarity that recalled it; comparable within one answer only.
        probability: of a match, by the pair model, in [0, 1]; None where it was not asked.
        confidence: the probability set right on validation data; None where the index is not calibrated, or the query
            is not words alone, the kind it was calibrated on.
    """

    product_id: ProductId
    group_id: GroupId
    text: str
    category: str
    subcategory: str
    attributes: Mapping[str, str]
    view: int
    picture: str
    recall: float
    probability: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a search found.

    Attributes:
        hits: cards, best first.
        matches: cards that passed the filter, shown or not.
        reranked: how many of the first hits the pair model has put in order.
        pairs: cards that it has read for that, shown or not.
        nothing_matches: True where the best hit is below the threshold of the stated precision; said of words alone.
        calibrated: whether the index is; without that no hit has a confidence.
        version: of the index.
        milliseconds: time of each stage.
    """

    hits: tuple[Hit, ...]
    matches: int
    reranked: int = 0
    pairs: int = 0
    nothing_matches: bool = False
    calibrated: bool = False
    version: int = 0
    milliseconds: Mapping[str, float] = field(default_factory=dict)


def _faults_of_ticks(ticked: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if len(ticked) > MOST_TICKED:
        yield f"values of {len(ticked):,} attributes are ticked, more than {MOST_TICKED}: tick fewer"
    for name, values in ticked.items():
        if len(values) > MOST_TICKS:
            yield f"{len(values):,} values of {name!r} are ticked, more than {MOST_TICKS}: tick fewer"
        longest = max(map(len, values), default=0)
        if longest > LONGEST_TICK:
            yield f"a ticked value of {name!r} has {longest:,} characters, more than {LONGEST_TICK}: use a filter"


def _faults_of_types(query: Query) -> list[str]:
    """A single text where several are meant would be taken letter by letter."""
    several = {"unwanted": query.unwanted, "more_like": query.more_like, "less_like": query.less_like}
    several |= {"hidden": query.hidden}
    if not isinstance(query.ticked, Mapping):
        return [f"ticked = {query.ticked!r} should give values by attribute"]
    several |= {f"ticked[{name!r}]": values for name, values in query.ticked.items()}
    return [
        f"{name} = {values!r} should be several texts"
        for name, values in several.items()
        if isinstance(values, str) or not all(isinstance(each, str) for each in values)
    ]
