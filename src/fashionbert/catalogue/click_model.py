"""A click log that no shopper left: a documented model of what people would ask a catalogue, see, and click on.

The paper's log (section 3.4) is not public. This one has what such a log needs: queries shorter than titles, products
that are right, nearly right and wrong, and a habit of looking at the top of the page. A session goes like this:

1. A shopper wants a product, drawn evenly. They name its kind, and before it each of its properties (colour, say) with
   that property's probability: "striped dark blue dress".
2. The shop shows ``shown`` products: as far as there are so many, four that have all that was named, four of the kind
   that lack something, and others of the category; the rest is drawn from anywhere. Their order is random.
3. The shopper looks at place ``r`` (from 1) with probability ``r ** -eta``, and clicks on what they look at with a
   probability that depends on what it has: all that was named, the kind alone, or neither.
4. Of each session as many clicked products are kept as others, so that half of the rows are clicks. Sessions without
   a click leave nothing.

What a model can know at best is in the column ``has`` (2, 1, 0), which no model reads: see :func:`ceiling`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionbert.catalogue.table import Catalogue
from fashionbert.errors import CatalogueError

ALL, KIND, NEITHER = 2, 1, 0
HAS = "has"
_PLAIN = {"", "solid", "plain", "none", "unknown", "other pattern"}
_FULL, _NEARLY = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickModel:
    """The numbers of the model.

    Attributes:
        properties: attributes of the catalogue that a query may name, and how often it does.
        shown: products on a page.
        eta: how quickly attention falls along the page; 0: not at all (Richardson et al., WWW 2007, name the effect).
        appeal: probability of a click on a product that is looked at, by what it has.
    """

    properties: Mapping[str, float] = field(default_factory=lambda: {"pattern": 0.3, "colour": 0.8})
    shown: int = 12
    eta: float = 0.5
    appeal: Mapping[int, float] = field(default_factory=lambda: {ALL: 0.7, KIND: 0.12, NEITHER: 0.02})


def simulate_clicks(catalogue: Catalogue, sessions: int, model: ClickModel, generator: np.random.Generator) -> pa.Table:
    """Let shoppers search a catalogue.

    Args:
        catalogue: what they search; kinds are its subcategories.
        sessions: searches; those without a click leave no rows.
        model: how they ask and click.
        generator: source of everything that is drawn.

    Returns:
        Columns ``query``, ``product_id``, ``clicked``, ``session``, ``has``.

    Raises:
        CatalogueError: the catalogue lacks an attribute that the model names, or has no subcategories.
    """
    shop = _Shop(catalogue, model)
    columns: dict[str, list[object]] = {name: [] for name in ("query", "product_id", "clicked", "session", HAS)}
    for session in range(sessions):
        query, named = shop.ask(int(generator.integers(len(catalogue))), generator)
        for product, has, clicked in shop.page(named, generator):
            row = (query, shop.ids[product], int(clicked), session, has)
            for name, value in zip(columns, row, strict=True):
                columns[name].append(value)
    types = {
        "query": pa.string(),
        "product_id": pa.string(),
        "clicked": pa.int8(),
        "session": pa.int64(),
        HAS: pa.int8(),
    }
    return pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})


def ceiling(log: pa.Table) -> float:
    """Accuracy on a simulated log of somebody who knows what each product has, and nothing of place and luck."""
    has_N, clicked_N = log[HAS].to_numpy(), log["clicked"].to_numpy()
    right = 0
    for has in np.unique(has_N):
        clicks = int(clicked_N[has_N == has].sum())
        right += max(clicks, int((has_N == has).sum()) - clicks)
    return right / len(log)


class _Shop:
    """A catalogue, by what its products have."""

    def __init__(self, catalogue: Catalogue, model: ClickModel) -> None:
        self.ids = catalogue.column("product_id")
        self._model = model
        faults = [
            f"there is no column {name!r}: the columns are {', '.join(catalogue.attributes)}"
            for name in model.properties
            if name not in catalogue.attributes
        ]
        if not any(catalogue.column("subcategory")):
            faults.append("no product has a subcategory, which queries are made of")
        if faults:
            raise CatalogueError(f"nobody can search {catalogue.name} by words of its columns", faults)
        self._kinds, self._kind_N = np.unique(catalogue.column("subcategory"), return_inverse=True)
        self._category_N = np.unique(catalogue.column("category"), return_inverse=True)[1]
        self._values = {name: np.asarray(catalogue.column(name)) for name in model.properties}

    def ask(self, product: int, generator: np.random.Generator) -> tuple[str, dict[str, str]]:
        """What a shopper who wants a product types, and what of it they name; "" is the kind's name."""
        named = {
            name: str(self._values[name][product])
            for name, often in self._model.properties.items()
            if generator.random() < often and self._values[name][product].lower() not in _PLAIN
        }
        kind = str(self._kinds[self._kind_N[product]])
        words = " ".join([*named.values(), kind]).lower()
        return words, {**named, "": kind}

    def page(self, named: Mapping[str, str], generator: np.random.Generator) -> Iterator[tuple[int, int, bool]]:
        """What a session leaves: product, what it has, whether it was clicked on."""
        is_kind = self._kinds[self._kind_N] == named[""]
        is_all = is_kind & np.logical_and.reduce(
            [is_kind, *(self._values[name] == value for name, value in named.items() if name)]
        )
        shown = self._shown(is_all, is_kind, generator)
        has = np.where(is_all[shown], ALL, np.where(is_kind[shown], KIND, NEITHER))
        looked = generator.random(len(shown)) < np.arange(1, len(shown) + 1) ** -self._model.eta
        appeal = np.asarray([self._model.appeal[int(each)] for each in has])
        clicked = looked & (generator.random(len(shown)) < appeal)
        count = min(clicked.sum(), (~clicked).sum())
        kept = [_some(np.flatnonzero(each), count, generator) for each in (clicked, ~clicked)]
        for place in np.sort(np.concatenate(kept)).tolist():
            yield int(shown[place]), int(has[place]), bool(clicked[place])

    def _shown(
        self, is_all: NDArray[np.bool_], is_kind: NDArray[np.bool_], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        category = self._category_N[np.flatnonzero(is_kind)[0]]
        pools: Sequence[NDArray[np.bool_]] = (is_all, is_kind & ~is_all, (self._category_N == category) & ~is_kind)
        wanted = (_FULL, _NEARLY, self._model.shown - _FULL - _NEARLY)
        chosen = [_some(np.flatnonzero(pool), count, generator) for pool, count in zip(pools, wanted, strict=True)]
        shown = np.concatenate(chosen)
        rest = np.setdiff1d(generator.integers(len(is_all), size=4 * self._model.shown), shown)
        shown = np.concatenate([shown, _some(rest, self._model.shown - len(shown), generator)])
        return generator.permutation(shown)


def _some(rows: NDArray[np.int64], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    return generator.choice(rows, size=min(count, len(rows)), replace=False)
