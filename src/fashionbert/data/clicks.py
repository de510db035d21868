"""Rows of a click log as the model sees them: ``[CLS] query [SEP] title [SEP]`` and the picture's patches.

Letters: N rows, B batch, T text tokens, P patches, F feature size.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from fashionbert.catalogue import Catalogue
from fashionbert.catalogue.clicks import ClickLog
from fashionbert.config import ClickSettings
from fashionbert.data.collate import Movable
from fashionbert.data.examples import FeatureSource
from fashionbert.errors import CatalogueError
from fashionbert.text import TokenizedTexts, tokenize

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickRows:
    """Rows of a log joined with the products that they show.

    Attributes:
        queries: every different query.
        titles: title of each product that is shown.
        query_of: query of each row [N].
        title_of: title of each row [N].
        picture_of: first row of each row's first picture in ``features``; empty without features [N].
        features: where patch features are read; None: nobody reads pictures.
        clicked: whether it was clicked on [N].
        sessions: session of each row [N].
        left_out: rows whose product is not in the catalogue, or has no usable picture.
    """

    queries: TokenizedTexts
    titles: TokenizedTexts
    query_of: NDArray[np.int64]
    title_of: NDArray[np.int64]
    picture_of: NDArray[np.int64]
    features: FeatureSource | None
    clicked: NDArray[np.bool_]
    sessions: NDArray[np.int64]
    left_out: int

    def __len__(self) -> int:
        return len(self.query_of)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """WordPieces of each row: its query and its title, which does not have its [CLS] [N]."""
        return self.queries.lengths[self.query_of] + self.titles.lengths[self.title_of] - 1


@dataclass(frozen=True, slots=True)
class ClickBatch(Movable):
    """Rows side by side.

    Attributes:
        input_ids: ``[CLS] query [SEP] title [SEP]`` and padding [B, T].
        attention_mask: True at real tokens [B, T].
        token_type_ids: 0 for the query (Q), 1 for the title (T) [B, T].
        position_ids: counted from 0 in the query, and from 1 again in the title [B, T].
        features: patch features [B, P, F]; None where nobody reads them.
        labels: 1 where it was clicked on [B].
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    position_ids: Tensor
    features: Tensor | None
    labels: Tensor


def build_click_rows(
    log: ClickLog,
    catalogue: Catalogue,
    features: FeatureSource | None,
    tokenizer: PreTrainedTokenizerFast,
    settings: ClickSettings,
) -> ClickRows:
    """Join a log with a catalogue and its features.

    Args:
        log: rows.
        catalogue: has the products.
        features: feature store of the catalogue; None where pictures are not read.
        tokenizer: the model's.
        settings: column of the title, lengths.

    Returns:
        Rows in the order of the log, those left out that cannot be read.

    Raises:
        CatalogueError: no row can be read, or there is no such column.
    """
    place_of = {product_id: place for place, product_id in enumerate(catalogue.column("product_id"))}
    usable = [product_id in place_of and (features is None or product_id in features) for product_id in log.product_ids]
    kept = log.rows(np.flatnonzero(usable))
    if not len(kept):
        unknown = sorted({each for each in log.product_ids if each not in place_of})[:_SHOWN]
        raise CatalogueError(
            f"no row of the click log shows a product of {catalogue.name} with features",
            [f"not in the catalogue: {', '.join(unknown)}"] if unknown else ["make the features of this catalogue"],
        )
    shown, title_of = np.unique(np.asarray([place_of[each] for each in kept.product_ids]), return_inverse=True)
    number_of = {query: number for number, query in enumerate(dict.fromkeys(kept.queries))}
    titles = _titles(catalogue, settings.title)
    picture_of = np.zeros(0, np.int64)
    if features is not None:
        ids = catalogue.column("product_id")
        picture_of = features.rows([ids[place] for place in shown.tolist()]).first[title_of]
    return ClickRows(
        queries=tokenize(tokenizer, [*number_of], settings.max_query_tokens),
        titles=tokenize(tokenizer, [titles[place] for place in shown.tolist()], settings.max_title_tokens + 1),
        query_of=np.asarray([number_of[query] for query in kept.queries], np.int64),
        title_of=title_of.astype(np.int64),
        picture_of=picture_of,
        features=features,
        clicked=kept.clicked,
        sessions=kept.sessions,
        left_out=len(log) - len(kept),
    )


def collate_clicks(rows: ClickRows, places: NDArray[np.int64], *, pad_id: int, width: int | None = None) -> ClickBatch:
    """Lay rows side by side.

    Args:
        rows: all of them.
        places: which [B].
        pad_id: id of [PAD].
        width: T; None: as wide as the longest row.

    Returns:
        A batch in the order of ``places``.
    """
    asked_B, shown_B = rows.query_of[places].tolist(), rows.title_of[places].tolist()
    parts = [(rows.queries[asked][0], rows.titles[shown][0][1:]) for asked, shown in zip(asked_B, shown_B, strict=True)]
    width = width or max(len(query) + len(title) for query, title in parts)
    ids_BT = np.full((len(parts), width), pad_id, np.int64)
    types_BT, positions_BT = np.zeros_like(ids_BT), np.zeros_like(ids_BT)
    real_BT = np.zeros(ids_BT.shape, np.bool_)
    for row, (query, title) in enumerate(parts):
        middle, end = len(query), len(query) + len(title)
        ids_BT[row, :end] = np.concatenate([query, title])
        types_BT[row, middle:end] = 1
        positions_BT[row, :end] = np.concatenate([np.arange(middle), 1 + np.arange(len(title))])
        real_BT[row, :end] = True
    features = None if rows.features is None else torch.from_numpy(rows.features.read_rows(rows.picture_of[places]))
    return ClickBatch(
        input_ids=torch.from_numpy(ids_BT),
        attention_mask=torch.from_numpy(real_BT),
        token_type_ids=torch.from_numpy(types_BT),
        position_ids=torch.from_numpy(positions_BT),
        features=features,
        labels=torch.from_numpy(rows.clicked[places].astype(np.int64)),
    )


def _titles(catalogue: Catalogue, column: str) -> list[str]:
    """Titles of all products; the text of those that have none."""
    texts = catalogue.column("text")
    if column not in catalogue.attributes:
        return texts
    return [title or text for title, text in zip(catalogue.column(column), texts, strict=True)]
