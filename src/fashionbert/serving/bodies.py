"""Bodies of requests and answers; the OpenAPI file is made of them."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fashionbert.search.filters import LONGEST_FILTER
from fashionbert.search.query import LONGEST_TEXT, LONGEST_TICK, MOST_TICKED, MOST_TICKS

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Base64 = Annotated[str, Field(description="A picture file (JPEG, PNG, WebP, GIF, BMP, TIFF), in base64.")]
ProductId = Annotated[str, Field(max_length=500)]
ProductIds = Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=100)]
Tick = Annotated[str, Field(max_length=LONGEST_TICK)]
Ticks = Annotated[
    dict[Tick, Annotated[list[Tick], Field(max_length=MOST_TICKS)]],
    Field(max_length=MOST_TICKED, description="Values that were ticked, by attribute."),
]
View = Annotated[
    int | None, Field(ge=0, le=32_767, description="Number of the picture; left out: the first that there is.")
]
_OWN = {"category", "subcategory"}
MOST_TOP = 200
MOST_DOCUMENTS = 200


def _refuse_own(attributes: dict[str, str]) -> dict[str, str]:
    if own := sorted(_OWN & attributes.keys()):
        raise ValueError(f"{', '.join(own)}: write it beside attributes, where a product has it")
    return attributes


def _refuse_controls(product_id: str) -> str:
    if re.search(r"[\x00-\x1f\x7f-\x9f]", product_id):
        raise ValueError("an id holds no line breaks, nor other control characters: no address could name it")
    return product_id


NewProductId = Annotated[str, AfterValidator(_refuse_controls)]
"""Of a product that is written; those of an index may be older than this rule, and can be read and deleted."""
Attributes = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=100)], Annotated[str, Field(max_length=LONGEST_TEXT)]],
    Field(max_length=100),
    AfterValidator(_refuse_own),
]


class _Body(BaseModel):
    # Any bound makes pydantic read texts as Unicode: half of a surrogate pair is refused here, not met later.
    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=0)


class SearchBody(_Body):
    """A search; all fields may be left out."""

    text: Text = Field("", examples=["red linen dress"])
    image: Base64 | None = None
    unwanted: Annotated[list[Text], Field(alias="not", max_length=10, examples=[["sleeveless"]])] = []
    more_like: ProductIds = []
    less_like: ProductIds = []
    hidden: ProductIds = []
    filter: str = Field("", max_length=LONGEST_FILTER, examples=["price < 50"])
    facets: Ticks = {}
    top: int = Field(24, ge=1, le=MOST_TOP)
    rerank: int | None = Field(None, ge=0, le=MOST_TOP, description="Cards that the pair model orders; 0: none.")
    budget_ms: int | None = Field(None, ge=1, le=60_000, description="Time to spend, in place of rerank.")
    words: bool = True


class FacetsBody(_Body):
    """What is left to choose from."""

    filter: str = Field("", max_length=LONGEST_FILTER)
    facets: Ticks = {}


class ExplainBody(_Body):
    """A query and a picture of the index."""

    text: Text
    product_id: ProductId
    view: View = None


class ScoredPair(_Body):
    """Words, and a picture or a product of the index."""

    text: Text
    image: Base64 | None = None
    product_id: ProductId | None = None
    view: View = None


class ScoreBody(_Body):
    """Pairs to score."""

    pairs: Annotated[list[ScoredPair], Field(max_length=MOST_DOCUMENTS)]


class Document(_Body):
    """What is ranked: words, a picture, or a product of the index."""

    text: Text | None = None
    image: Base64 | None = None
    product_id: ProductId | None = None
    view: View = None


class RerankBody(_Body):
    """A query of words asks for documents with pictures, a query by picture for documents with words."""

    query: Text | Document
    documents: Annotated[list[Text | Document], Field(min_length=1, max_length=MOST_DOCUMENTS)]
    top_n: int | None = Field(None, ge=1)
    return_documents: bool = False
    model: str | None = Field(None, description="Taken for compatibility; the index has one model.")


class ProductBody(_Body):
    """A product to write."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    group_id: str = Field("", max_length=500)
    category: str = Field("", max_length=500)
    subcategory: str = Field("", max_length=500)
    attributes: Attributes = {}
    images: Annotated[list[Base64], Field(min_length=1, max_length=20)]


class NamedProductBody(ProductBody):
    """A product to write, with its id."""

    product_id: Annotated[NewProductId, Field(min_length=1, max_length=500)]


class ProductsBody(_Body):
    """Products to write in one commit."""

    products: Annotated[list[NamedProductBody], Field(min_length=1, max_length=100)]


class _Described(BaseModel):
    product_id: str
    group_id: str
    text: str
    category: str
    subcategory: str
    attributes: dict[str, str]


class HitAnswer(_Described):
    """A card."""

    view: int
    thumbnail: str
    recall: float
    probability: float | None
    confidence: float | None


class SearchAnswer(BaseModel):
    """Cards, best first."""

    hits: list[HitAnswer]
    matches: int
    reranked: int
    nothing_matches: bool
    calibrated: bool
    version: int
    milliseconds: dict[str, float]


class FacetValue(BaseModel):
    """A value and the cards that have it."""

    value: str
    cards: int


class FacetAnswer(BaseModel):
    """An attribute to choose by."""

    name: str
    values: list[FacetValue]
    low: float | None
    high: float | None


class FacetsAnswer(BaseModel):
    """Attributes to choose by."""

    facets: list[FacetAnswer]
    matches: int


class WordAnswer(BaseModel):
    """A word of a query: the log-odds it gives the match, and the patches it looks at."""

    text: str
    start: int
    end: int
    matched: bool
    gain: float
    patches: list[list[float]]


class ExplainAnswer(BaseModel):
    """Why a picture matches."""

    words: list[WordAnswer]
    frame: tuple[float, float, float, float]
    probability: float


class ScoreAnswer(BaseModel):
    """Probability of a match for each pair."""

    scores: list[float]


class RankedAnswer(BaseModel):
    """A document at its place."""

    index: int
    relevance_score: float
    document: dict[str, Any] | None = None


class RerankAnswer(BaseModel):
    """Documents, best first."""

    id: str
    results: list[RankedAnswer]


class ViewAnswer(BaseModel):
    """A picture of a product."""

    view: int
    picture: str
    thumbnail: str


class ProductAnswer(_Described):
    """A product of the index."""

    views: list[ViewAnswer]


class WrittenAnswer(BaseModel):
    """What was written, and pictures that were set aside."""

    written: list[str]
    faults: list[str]
    version: int


class IndexAnswer(BaseModel):
    """What is being searched."""

    name: str
    products: int
    cards: int
    pictures: int
    version: int
    model: str
    recall: str
    calibrated: bool
    writable: bool
    rerank: int = Field(description="Cards that the pair model orders where a request does not say how many.")
    attributes: list[str]


class HealthAnswer(BaseModel):
    """How the service is."""

    status: Literal["alive", "ready", "not ready"]


class Problem(BaseModel):
    """What is wrong, and what to do."""

    code: str
    message: str
    details: list[str] = []


class ProblemAnswer(BaseModel):
    """Body of every answer that is no success."""

    error: Problem
