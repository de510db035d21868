"""What a step reads, on the real training split of the small world."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

from fashionbert.catalogue import Catalogue
from fashionbert.config import Settings
from fashionbert.data import NOT_HIDDEN, Examples, MaskedTexts, NegativeSampler, build_examples
from fashionbert.images.store import FeatureStore
from fashionbert.text import learn_tokenizer
from fashionbert.training.drawing import PairDrawer, step_generator
from fashionbert.training.queue import VectorQueue

MakeSettings: TypeAlias = Callable[..., Settings]
ROWS = np.arange(8)


@pytest.fixture
def drawer(catalogue: Catalogue, store: FeatureStore, make_settings: MakeSettings) -> Callable[..., PairDrawer]:
    train = catalogue.split("train")
    tokenizer = learn_tokenizer(train.column("text"), 300)
    examples = build_examples(train, store, tokenizer, max_tokens=64, all_pictures=True, title="colour")

    def make(**changes: Any) -> PairDrawer:
        settings = make_settings({name.replace("__", "."): value for name, value in changes.items()})
        sampler = NegativeSampler(examples.groups, examples.subcategories, examples.texts.lengths)
        return PairDrawer(settings, examples, tokenizer, sampler)

    return make


def examples_of(drawer: PairDrawer) -> Examples:
    return drawer._examples


def queue_of(drawer: PairDrawer, rows: list[int], vectors: torch.Tensor) -> VectorQueue:
    groups = torch.from_numpy(examples_of(drawer).groups[rows])
    return VectorQueue(torch.tensor(rows), groups, vectors, vectors)


def test_step_generators_differ_in_every_argument() -> None:
    draws = {
        step_generator(*place).random()
        for place in [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    }
    assert len(draws) == 5
    assert step_generator(3, 4, 5, 6).random() == step_generator(3, 4, 5, 6).random()


@pytest.mark.parametrize("per_positive", [1, 2, 3])
def test_positives_come_first_and_negatives_are_of_other_groups(
    drawer: Callable[..., PairDrawer], per_positive: int
) -> None:
    made = drawer(negatives__source="subcategory", contrastive__queue=0, negatives__per_positive=per_positive)
    drawn = made.pairs(ROWS, None, queue_of(made, [], torch.zeros(0, 16)), 1.0, step_generator(0, 0, 0, 0))
    assert drawn.labels.tolist() == [1] * 8 + [0] * 8 * per_positive
    assert drawn.text_of[:8].tolist() == drawn.picture_of[:8].tolist() == list(range(8))
    swapped_text = drawn.text_of[8:] != torch.arange(8).repeat(per_positive)
    swapped_picture = drawn.picture_of[8:] != torch.arange(8).repeat(per_positive)
    assert (swapped_text ^ swapped_picture).all()
    assert swapped_text.sum() == swapped_picture.sum()
    for foreign, places in ((drawn.foreign_texts, drawn.text_of), (drawn.foreign_pictures, drawn.picture_of)):
        assert foreign is not None
        read = len(foreign.labels if isinstance(foreign, MaskedTexts) else foreign.masked)
        assert places.max() == 7 + read


def test_mined_negatives_are_the_nearest_when_the_sharpness_is_great(drawer: Callable[..., PairDrawer]) -> None:
    """All vectors of the batch are alike but those of row 40 in the queue, which point where the batch points."""
    made = drawer(negatives__sharpness=10_000, negatives__per_positive=2)
    groups = examples_of(made).groups
    far, near = torch.nn.functional.one_hot(torch.tensor([0, 1]), 16).float()
    texts, pictures = far.expand(8, -1), near.expand(8, -1)
    other = int(np.flatnonzero(~np.isin(groups, groups[ROWS]))[0])
    queue = VectorQueue(
        torch.tensor([other]), torch.from_numpy(groups[[other]]), near[None], far[None]
    )  # its text is near every picture, its picture near every text
    generator = step_generator(0, 0, 0, 0)
    wrong = made._mined(ROWS, (texts, pictures), queue, 1.0, np.tile([True, False], (2, 4)), generator)
    assert (wrong == other).all()


def test_mined_negatives_are_never_of_the_own_group(drawer: Callable[..., PairDrawer]) -> None:
    made = drawer(negatives__sharpness=50)
    groups = examples_of(made).groups
    vectors = torch.nn.functional.normalize(
        torch.randn(len(groups), 16, generator=torch.Generator().manual_seed(0)), dim=1
    )
    queue = queue_of(made, list(range(8, len(groups))), vectors[8:])
    for step in range(50):
        sides = (vectors[:8], vectors[:8])
        wrong = made._mined(ROWS, sides, queue, 1.0, np.ones((1, 8), np.bool_), step_generator(0, step, 0, 0))
        assert (groups[wrong[0]] != groups[ROWS]).all()


def test_hardness_zero_draws_evenly(drawer: Callable[..., PairDrawer]) -> None:
    made = drawer(negatives__sharpness=10_000)
    groups = examples_of(made).groups
    rows = np.array([int(np.flatnonzero(groups == group)[0]) for group in np.unique(groups)[:6]])
    vectors = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 1, 2, 3]), 16).float()
    drawn = [
        made._mined(
            rows,
            (vectors, vectors),
            queue_of(made, [], vectors[:0]),
            0.0,
            np.ones((1, 6), np.bool_),
            step_generator(0, step, 0, 0),
        )[0, 0]
        for step in range(300)
    ]
    assert set(drawn) == set(rows[1:])


def test_tasks_that_are_off_hide_nothing(drawer: Callable[..., PairDrawer]) -> None:
    made = drawer(objectives__tasks=["alignment", "contrastive"])
    texts, pictures, _ = made.sides(ROWS, hidden=True, generator=step_generator(0, 0, 0, 0))
    assert (texts.labels == NOT_HIDDEN).all()
    assert not pictures.masked.any()


def test_sides_of_the_batch_and_of_elsewhere_are_masked_alike(drawer: Callable[..., PairDrawer]) -> None:
    """Else the mask would tell a negative from a positive."""
    made = drawer(negatives__source="random", contrastive__queue=0, objectives__patch_mask_share=0.25)
    generator = step_generator(0, 0, 0, 0)
    texts, pictures, _ = made.sides(ROWS, hidden=True, generator=generator)
    drawn = made.pairs(ROWS, None, queue_of(made, [], torch.zeros(0, 16)), 1.0, generator)
    assert drawn.foreign_texts is not None
    assert drawn.foreign_pictures is not None
    for side in (texts, drawn.foreign_texts):
        hidden, pieces = (side.labels != NOT_HIDDEN).sum(dim=1), side.attention_mask.sum(dim=1) - 2
        assert (hidden <= (0.15 * pieces).round().clamp(min=1)).all()
        assert hidden.sum() > 0.1 * pieces.sum()
    for side in (pictures, drawn.foreign_pictures):
        assert (side.masked.sum(dim=1) == 4).all()


def test_the_contrastive_stage_sees_everything(drawer: Callable[..., PairDrawer]) -> None:
    texts, pictures, titles = drawer().sides(ROWS, hidden=False, generator=step_generator(0, 0, 0, 0))
    assert (texts.labels == NOT_HIDDEN).all()
    assert not pictures.masked.any()
    assert titles is None


def test_a_share_of_the_pictures_stands_behind_their_titles(drawer: Callable[..., PairDrawer]) -> None:
    """The title is the colour here; without one, [CLS] [SEP] alone stands before a picture."""
    made = drawer(contrastive__titled_share=0.5, objectives__word_drop_share=0.0)
    own = examples_of(made).titles
    assert own is not None
    titled = 0
    for step in range(20):
        titles = made.sides(ROWS, hidden=False, generator=step_generator(0, step, 0, 0))[2]
        assert titles is not None
        for row, ids, real in zip(ROWS, titles.input_ids, titles.attention_mask, strict=True):
            whole = own[int(row)][0].tolist()
            assert ids[real].tolist() in (whole, [whole[0], whole[-1]])
            titled += ids[real].tolist() == whole
    assert 50 <= titled <= 110  # 80 of 160 expected, with a deviation of 6.3
