"""An open index with its model: queries in, cards out."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fashionbert.errors import SearchIndexError
from fashionbert.images.decode import DEFAULT_LIMITS, PictureLimits
from fashionbert.scoring import KeptPictures, Scorer, match_probability, model_fingerprint
from fashionbert.search.advice import USUAL_CARDS, advised
from fashionbert.search.build import put_products
from fashionbert.search.calibration import Calibration
from fashionbert.search.cards import answer_of
from fashionbert.search.encoders import OURS, OurEncoder, RecallEncoder, load_stages
from fashionbert.search.explain import Explanation, explain
from fashionbert.search.manifest import Manifest
from fashionbert.search.pictures import AnyPicture, PictureReader, SeenPicture
from fashionbert.search.query import Answer, Query
from fashionbert.search.recall import Recalled, Term, recall
from fashionbert.search.rerank import Reranked, RerankTask, rerank
from fashionbert.search.rows import RowMaker, ViewFault
from fashionbert.search.shelf import Facet, Shelf
from fashionbert.search.table import ViewTable
from fashionbert.search.thumbnails import thumbnail_size
from fashionbert.types import ImageInput, Product, ProductId

_COMMITS_TO_TIDY = 32
_WRITE_SECONDS = 0.5
"""Wait for another writer at most so long: searches wait meanwhile, and bringing an index up to date takes minutes."""


class SearchEngine:
    """Searches one index; :meth:`open` makes one. Not for several threads at once."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        scorer: Scorer,
        encoder: RecallEncoder,
        calibration: Calibration | None = None,
        cards: int = USUAL_CARDS,
    ) -> None:
        """Take a checked index and its model, and how many cards are worth re-ranking with it."""
        self.folder, self.manifest, self.calibration, self.cards = folder, manifest, calibration, cards
        # Shared with our own encoder: a query's words are read once for recall and for pairs.
        self.kept = encoder.kept if isinstance(encoder, OurEncoder) else KeptPictures(scorer)
        self._pictures = PictureReader(self.kept, encoder)
        self.encoder, self.table = encoder, ViewTable.open(folder)
        self.shelf = Shelf.of(self.table, exact_up_to=manifest.exact_up_to)
        self._commits = 0

    @classmethod
    def open(cls, folder: str | Path, *, model: str | Path | None = None, device: str = "cpu") -> Self:
        """Open an index.

        Args:
            folder: of the index.
            model: the run folder, where it is no longer where it was when the index was made.
            device: where the model runs.

        Returns:
            An engine at the newest version of the index.

        Raises:
            SearchIndexError: the index is missing, damaged, or was made with another model.
            RunError: the model is missing or damaged.
            MissingExtraError: LanceDB is not installed.
        """
        folder = Path(folder)
        manifest = Manifest.read(folder)
        run = Path(manifest.model if model is None else model)
        if model is None and not run.is_dir():
            raise SearchIndexError(f"the model of the index, {run}, is gone: say where it is now with --model")
        cards = advised(run).cards if manifest.recall == OURS else USUAL_CARDS  # advised for its own vectors
        scorer, encoder = load_stages(run, manifest, device)
        manifest.refuse_other(
            replace(
                manifest,
                model_fingerprint=model_fingerprint(run),
                recall_fingerprint=encoder.fingerprint,
                vector_size=encoder.size,
                record_bytes=KeptPictures(scorer).dtype.itemsize,
                numbers=scorer.pace.numbers,
            ),
            folder,
        )
        return cls(folder, manifest, scorer, encoder, Calibration.read(folder), cards)

    def search(self, query: Query) -> Answer:
        """Answer a query.

        Args:
            query: the question.

        Returns:
            Cards, best first.

        Raises:
            QueryError: its filter, its products or its picture cannot be used.
            PictureError: its picture cannot be used.
        """
        return self.search_many([query])[0]

    def search_many(self, queries: Sequence[Query]) -> list[Answer]:
        """Answer several queries, which share the passes through the model; the answers are those of :meth:`search`.

        Args:
            queries: the questions.

        Returns:
            An answer to each.

        Raises:
            QueryError: one of them cannot be answered.
            PictureError: a picture cannot be used.
        """
        spent: dict[str, float] = {}
        with _timed(spent, "filter"):  # first: what cannot be answered shall cost nothing
            masks = [self._mask(query) for query in queries]
        with _timed(spent, "encode"):
            pictures, picture_terms = self._pictures.read([query.image for query in queries])
            terms = self._terms(queries, picture_terms)
        with _timed(spent, "recall"):
            terms = self._compared(terms)
            found = [self._recall(*each) for each in zip(queries, terms, masks, strict=True)]
        with _timed(spent, "rerank"):
            scored = self._rerank(queries, pictures, found)
        with _timed(spent, "cards"):
            answers = [
                answer_of(*each, self.shelf, self.calibration) for each in zip(queries, found, scored, strict=True)
            ]
        return [replace(answer, milliseconds=spent) for answer in answers]

    def facets(self, query: Query) -> list[Facet]:
        """Count what is left under a query's filter and ticks, by the attributes one can choose by.

        Args:
            query: only its filter and what is ticked count. The counts of an attribute are those left under the ticks
                of the others, so that a second value of it can be ticked.

        Returns:
            Facets with their counts.

        Raises:
            QueryError: the filter cannot be used, or there is no such attribute.
        """
        return self.shelf.facets(self.shelf.mask(query.filter), query.ticked)

    def look(
        self, picture: ImageInput, limits: PictureLimits = DEFAULT_LIMITS, *, name: str | None = None
    ) -> SeenPicture:
        """Decode a picture for a query or a pair ahead of its turn; any thread may call it.

        Args:
            picture: as users hold it.
            limits: what to refuse.
            name: what an error calls the picture.

        Returns:
            The picture, without what no stage of this index needs of it.

        Raises:
            PictureError: the picture cannot be used.
        """
        return self._pictures.look(picture, limits, name=name)

    def score(self, pairs: Iterable[tuple[str, AnyPicture]]) -> NDArray[np.float64]:
        """Score words against pictures, those of the index or others.

        Args:
            pairs: words and a picture each.

        Returns:
            Probabilities of a match [M].

        Raises:
            QueryError: there is no such product or picture.
            PictureError: a picture cannot be used.
        """
        pairs = list(pairs)
        if not pairs:
            return np.zeros(0)
        pictures = list({id(picture): picture for _, picture in pairs}.values())  # one picture against many words
        places = {id(picture): place for place, picture in enumerate(pictures)}
        margins = self.kept.margins(
            [text for text, _ in pairs],
            np.arange(len(pairs)),
            self._pictures.records(pictures, self.shelf),
            np.asarray([places[id(picture)] for _, picture in pairs]),
        )
        return match_probability(margins)

    def explain(self, text: str, product_id: ProductId, view: int | None = None) -> Explanation:
        """Say why a picture of a product matches words, or does not.

        Args:
            text: the query.
            product_id: of the product.
            view: number of the picture; None: the first that there is.

        Returns:
            What each word does to the match, and the patches that it looks at.

        Raises:
            QueryError: there is no such product or picture.
        """
        row = self.shelf.row_of_view(product_id, view)
        taken = self.shelf.table.take(self.shelf.row_ids[[row]], ["record", "thumbnail"])
        record = np.frombuffer(taken["record"][0].as_py(), self.kept.dtype)
        return explain(self.kept, text, record, thumbnail_size(taken["thumbnail"][0].as_py()))

    def views(self, product_id: ProductId) -> list[dict[str, Any]]:
        """Give the words and attributes of a product, once for each of its pictures.

        Args:
            product_id: of the product.

        Returns:
            Columns of the table by name, ``attributes`` as a mapping; in the order of the pictures.

        Raises:
            QueryError: there is no such product.
        """
        return self.shelf.cards_of_product(product_id)

    @property
    def is_calibrated(self) -> bool:
        """Whether probabilities were set right on validation data."""
        return self.calibration is not None

    def has(self, product_id: ProductId) -> bool:
        """Whether the index has a product."""
        return product_id in self.shelf.place_of

    def is_same_group(self, one: ProductId, other: ProductId) -> bool:
        """Whether two products of the index share a card; a product without a group has its own."""
        groups = self.shelf.groups
        return bool(groups[self.shelf.rows_of(one)[0]] == groups[self.shelf.rows_of(other)[0]])

    def refresh(self) -> bool:
        """Look for products that were written since, and for another calibration.

        Returns:
            Whether there were products.

        Raises:
            SearchIndexError: the index is lost or damaged, or one of another model has taken its place.
        """
        Manifest.read(self.folder).refuse_other(self.manifest, self.folder)
        self.calibration = Calibration.read(self.folder)
        newest = self.table.newest()
        if newest.version == self.shelf.version:
            return False
        self.table = newest
        self.shelf = Shelf.of(newest, exact_up_to=self.manifest.exact_up_to, former=self.shelf)
        return True

    @property
    def is_worn(self) -> bool:
        """Whether many small commits were made by this engine since the table was last brought together."""
        return self._commits >= _COMMITS_TO_TIDY

    def tidy(self) -> None:
        """Bring small commits together; :class:`FolderInUseError` where somebody else is writing."""
        self.table.tidy(self.manifest.exact_up_to, wait=0.0)
        self._commits = 0

    def put(
        self, products: Sequence[Product], limits: PictureLimits = DEFAULT_LIMITS
    ) -> tuple[list[ProductId], list[ViewFault]]:
        """Add products, or replace them.

        Args:
            products: with unique ids.
            limits: pictures to refuse.

        Returns:
            Those with a usable picture, which are in the index now; and the pictures that were set aside.

        Raises:
            FolderInUseError: another process is writing into the index.
        """
        maker = RowMaker(self.kept, self.encoder, thumbnail_side=self.manifest.thumbnail_side, limits=limits)
        done = put_products(products, self.table, maker, pictures=self.manifest.pictures, wait=_WRITE_SECONDS)
        self._commits += 1
        self.refresh()
        return done

    def delete(self, product_ids: Sequence[ProductId]) -> list[ProductId]:
        """Delete products.

        Args:
            product_ids: of the products.

        Returns:
            Those that were there.

        Raises:
            FolderInUseError: another process is writing into the index.
        """
        there = [product_id for product_id in product_ids if product_id in self.shelf.place_of]
        if there:
            self.table.delete(there, wait=_WRITE_SECONDS)
            self._commits += 1
            self.refresh()
        return there

    def thumbnail(self, product_id: ProductId, view: int | None = None) -> bytes:
        """The small picture of a product, encoded; arguments and errors as of :meth:`explain`."""
        return self.shelf.thumbnail(product_id, view)

    def _terms(self, queries: Sequence[Query], pictures: Sequence[NDArray[np.float32] | None]) -> list[list[Term]]:
        texts = [text for query in queries for text in (query.text, *query.unwanted) if text.strip()]
        vectors = iter(self.encoder.encode_texts(texts) if texts else ())
        return [self._terms_of(query, picture, vectors) for query, picture in zip(queries, pictures, strict=True)]

    def _terms_of(
        self, query: Query, picture_E: NDArray[np.float32] | None, vectors: Iterator[NDArray[np.float32]]
    ) -> list[Term]:
        terms = [Term(next(vectors))] if query.text.strip() else []
        terms += [Term(next(vectors), wanted=False) for _ in query.unwanted]
        terms += [] if picture_E is None else [Term(picture_E)]
        terms += [Term(self._vector_of(name)) for name in query.more_like]
        terms += [Term(self._vector_of(name), wanted=False) for name in query.less_like]
        return terms

    def _compared(self, terms: Sequence[Sequence[Term]]) -> list[list[Term]]:
        """Compare the terms of all queries with all rows in one product, where the rows are held in memory."""
        if not self.shelf.is_exact or not any(terms):
            return [list(own) for own in terms]
        vectors_KE = np.stack([term.vector for own in terms for term in own])
        similarities = iter(self.shelf.similarities(vectors_KE))
        return [[replace(term, similarity=next(similarities)) for term in own] for own in terms]

    def _vector_of(self, product_id: ProductId) -> NDArray[np.float32]:
        """Mean direction of a product's pictures."""
        rows = self.shelf.rows_of(product_id)
        if self.shelf.vectors is not None:
            mean_E = self.shelf.vectors[rows].mean(axis=0)
        else:
            taken = self.shelf.table.take(self.shelf.row_ids[rows], ["vector"])["vector"].combine_chunks()
            mean_E = taken.flatten().to_numpy().reshape(len(rows), -1).mean(axis=0)
        return mean_E / max(float(np.linalg.norm(mean_E)), 1e-12)

    def _mask(self, query: Query) -> NDArray[np.bool_]:
        """Rows that may be found; a product that is to be hidden and is gone is hidden well enough."""
        mask_R = self.shelf.mask(query.filter, query.ticked)
        hidden = [product_id for product_id in query.hidden if self.has(product_id)]
        for product_id in (*query.more_like, *query.less_like, *hidden):
            mask_R &= self.shelf.groups != self.shelf.groups[self.shelf.rows_of(product_id)[0]]
        return mask_R

    def _recall(self, query: Query, terms: Sequence[Term], mask_R: NDArray[np.bool_]) -> Recalled:
        words = query.text if query.words else ""
        return recall(self.shelf, terms, mask_R, max(query.top, query.rerank), words=words)

    def _rerank(
        self, queries: Sequence[Query], pictures: Sequence[NDArray[np.void] | None], found: Sequence[Recalled]
    ) -> list[Reranked | None]:
        asked = [
            place
            for place, query in enumerate(queries)
            if query.rerank
            and len(found[place].rows)
            and (query.text.strip() or query.image is not None or query.unwanted)
        ]
        tasks = [
            self._task(queries[place], pictures[place], found[place].rows[: queries[place].rerank]) for place in asked
        ]
        scored: list[Reranked | None] = [None] * len(queries)
        for place, reranked in zip(asked, rerank(self.kept, tasks), strict=True):
            scored[place] = reranked
        return scored

    def _task(self, query: Query, picture: NDArray[np.void] | None, rows: NDArray[np.int64]) -> RerankTask:
        columns = ["record", "text"] if picture is not None else ["record"]
        taken = self.shelf.table.take(self.shelf.row_ids[rows], columns)
        records = np.frombuffer(b"".join(taken["record"].to_pylist()), self.kept.dtype)
        texts = taken["text"].to_pylist() if picture is not None else ()
        return RerankTask(
            text=query.text if query.text.strip() else "",
            picture=picture,
            unwanted=query.unwanted,
            records=records,
            texts=texts,
        )


@contextmanager
def _timed(spent: dict[str, float], stage: str) -> Iterator[None]:
    start = perf_counter()
    yield
    spent[stage] = 1000 * (perf_counter() - start)
