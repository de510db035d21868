"""Products -> rows, in pieces: the numbers of all in one go, the memory of a few."""

import io
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet, WeakValueDictionary

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fashionbert.catalogue import HeldPicture
from fashionbert.images.ahead import DECODERS
from fashionbert.images.decode import decode_picture
from fashionbert.images.extractor import PatchExtractor
from fashionbert.model import FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, KeptPictures, Scorer
from fashionbert.search import rows as making
from fashionbert.search.encoders import OurEncoder, RecallEncoder
from fashionbert.search.rows import RowMaker, fetch
from fashionbert.search.thumbnails import make_thumbnail
from fashionbert.types import Product

from .conftest import encode


class Probe:
    """A weak reference can be held to it."""


class ProbingEncoder(RecallEncoder):
    """Recalls by nothing; knows how many prepared pictures there were at a time."""

    def __init__(self) -> None:
        self.size, self.fingerprint, self.pictures_at_once = 2, "probe", 1
        self.alive, self.most, self.title = WeakSet[Probe](), 0, None

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.zeros((len(texts), 2), np.float32)

    def prepare(self, picture: Image.Image) -> Probe:
        probe = Probe()
        self.alive.add(probe)
        self.most = max(self.most, len(self.alive))
        return probe

    def encode_prepared(
        self, prepared: Sequence[Probe], records: NDArray[np.void], titles: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        return np.zeros((len(prepared), 2), np.float32)


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (20 + seed % 3, 15, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def products_of(pictures: Sequence[bytes]) -> list[Product]:
    """Of two pictures each."""
    return [
        Product(
            product_id=f"p{start}",
            group_id="",
            text="a dress",
            pictures=tuple(HeldPicture(f"{start}/{place}", each) for place, each in enumerate(pictures[start:][:2])),
        )
        for start in range(0, len(pictures), 2)
    ]


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_rows_are_to_the_bit_those_of_all_pictures_in_one_go(
    make_model: Callable[..., FashionBertForPreTraining],
    processor: FashionBertProcessor,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    monkeypatch.setattr(PatchExtractor, "pictures_at_once", at_once)
    kept = KeptPictures(Scorer(make_model(), processor, batch_size=at_once))
    encoder = OurEncoder(kept.scorer, kept, "ours")
    maker = RowMaker(kept, encoder, thumbnail_side=8)
    pictures = [png(seed) for seed in range(8)]
    broken = [*pictures[:3], b"no picture", *pictures[3:]]
    rows, faults = maker.rows([fetch(product, 8) for product in products_of(broken)])
    assert [fault.picture for fault in faults] == ["2/1"]
    assert rows["view_id"].to_pylist() == ["p0/0", "p0/1", "p2/0", "p4/0", "p4/1", "p6/0", "p6/1", "p8/0"]
    records = kept.read(pictures)
    assert rows["record"].to_pylist() == [record.tobytes() for record in records]
    decoded = [decode_picture(picture) for picture in pictures]
    assert rows["thumbnail"].to_pylist() == [make_thumbnail(picture, 8) for picture in decoded]
    vectors = rows["vector"].combine_chunks().flatten().to_numpy()
    assert vectors.tobytes() == encode(encoder, decoded, records).tobytes()


def test_few_pictures_are_held_at_a_time(
    make_model: Callable[..., FashionBertForPreTraining],
    processor: FashionBertProcessor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a hundred, a decoder has one whole; prepared are those of a piece, and those that are looked at ahead."""
    alive, most = WeakValueDictionary[int, Image.Image](), [0]

    def decode(*arguments: Any, **options: Any) -> Image.Image:
        picture = decode_picture(*arguments, **options)
        alive[id(picture)] = picture
        most.append(len(alive))
        return picture

    monkeypatch.setattr(making, "decode_picture", decode)
    monkeypatch.setattr(PatchExtractor, "pictures_at_once", 2)
    encoder = ProbingEncoder()
    maker = RowMaker(KeptPictures(Scorer(make_model(), processor, batch_size=4)), encoder, thumbnail_side=8)
    rows, _ = maker.rows([fetch(product, 8) for product in products_of([png(seed) for seed in range(100)])])
    assert len(rows) == 100
    assert 1 <= max(most) <= DECODERS
    assert 1 <= encoder.most <= 2 * 4 + 5 * DECODERS


def test_no_products_have_no_rows(scorer: Scorer) -> None:
    kept = KeptPictures(scorer)
    rows, faults = RowMaker(kept, OurEncoder(scorer, kept, "ours"), thumbnail_side=8).rows([])
    assert (len(rows), faults) == (0, [])
    assert "vector" in rows.column_names
