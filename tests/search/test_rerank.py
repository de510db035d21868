"""The second stage, against pairs scored one by one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fashionbert.scoring import KeptPictures, Scorer
from fashionbert.search.rerank import Reranked, RerankTask, rerank


@pytest.fixture
def kept(scorer: Scorer) -> KeptPictures:
    return KeptPictures(scorer)


@pytest.fixture
def records(kept: KeptPictures, pictures: list[bytes]) -> NDArray[np.void]:
    return kept.read(pictures)


def task(records: NDArray[np.void], **changes: object) -> RerankTask:
    values: dict[str, object] = {"text": "", "picture": None, "unwanted": (), "records": records, "texts": ()}
    return RerankTask(**{**values, **changes})  # pyright: ignore[reportArgumentType]


def margins(kept: KeptPictures, text: str, records: NDArray[np.void]) -> NDArray[np.float64]:
    one_by_one = [
        kept.margins([text], np.zeros(1, np.int64), records[[place]], np.zeros(1, np.int64))[0]
        for place in range(len(records))
    ]
    return np.asarray(one_by_one, np.float64)


def probability(margin: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-margin))


def test_words_alone_are_the_pair_models_own_margins(kept: KeptPictures, records: NDArray[np.void]) -> None:
    [found] = rerank(kept, [task(records, text="red dress")])
    expected = margins(kept, "red dress", records)
    np.testing.assert_allclose(found.margins, expected, atol=1e-5)
    np.testing.assert_allclose(found.probabilities, probability(expected), atol=1e-6)


def test_a_wanted_picture_is_read_with_the_words_of_the_cards(kept: KeptPictures, records: NDArray[np.void]) -> None:
    texts = ["red dress", "blue shirt", "shirt"]
    [found] = rerank(kept, [task(records[:3], picture=records[3:4], texts=texts)])
    expected = [margins(kept, text, records[3:4])[0] for text in texts]
    np.testing.assert_allclose(found.margins, expected, atol=1e-5)


def test_wanted_are_averaged_and_unwanted_multiplied(kept: KeptPictures, records: NDArray[np.void]) -> None:
    texts = ["red dress"] * 2
    asked = task(records[:2], text="shirt", picture=records[3:4], texts=texts, unwanted=("blue", "sleeves"))
    [found] = rerank(kept, [asked])
    by_text = probability(margins(kept, "shirt", records[:2]))
    by_picture = probability(np.repeat(margins(kept, "red dress", records[3:4]), 2))
    unwanted = [1 - probability(margins(kept, text, records[:2])) for text in ("blue", "sleeves")]
    expected = np.sqrt(by_text * by_picture) * np.prod(unwanted, axis=0)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(found.margins, np.log(expected / (1 - expected)), atol=1e-4)


def test_only_unwanted(kept: KeptPictures, records: NDArray[np.void]) -> None:
    [found] = rerank(kept, [task(records, unwanted=("blue",))])
    np.testing.assert_allclose(found.margins, -margins(kept, "blue", records), atol=1e-4)


def test_several_queries_share_the_passes_and_keep_their_scores(kept: KeptPictures, records: NDArray[np.void]) -> None:
    tasks = [
        task(records[:4], text="red dress"),
        task(records[2:], unwanted=("blue",)),
        task(records[:1], picture=records[5:], texts=["shirt"]),
    ]
    together: list[Reranked] = rerank(kept, tasks)
    for found, each in zip(together, tasks, strict=True):
        [alone] = rerank(kept, [each])
        np.testing.assert_allclose(found.margins, alone.margins, atol=1e-5)


def test_no_tasks(kept: KeptPictures) -> None:
    assert rerank(kept, []) == []
