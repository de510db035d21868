import pytest
import torch

from fashionbert.training.queue import VectorQueue


def push(queue: VectorQueue, size: int, rows: list[int], mark: float) -> VectorQueue:
    numbers = torch.tensor(rows)
    vectors = torch.full((len(rows), 2), mark, requires_grad=True) * 1.0
    return queue.pushed(size, numbers, numbers // 10, vectors, -vectors)


@pytest.fixture
def filled() -> VectorQueue:
    empty = VectorQueue.empty(2, torch.device("cpu"))
    return push(push(empty, 5, [11, 12, 13], 1.0), 5, [21, 22], 2.0)


def test_newest_last(filled: VectorQueue) -> None:
    assert filled.rows.tolist() == [11, 12, 13, 21, 22]
    assert filled.groups.tolist() == [1, 1, 1, 2, 2]
    assert filled.texts[:, 0].tolist() == [1, 1, 1, 2, 2]
    assert filled.pictures[:, 0].tolist() == [-1, -1, -1, -2, -2]


def test_the_oldest_are_forgotten(filled: VectorQueue) -> None:
    assert push(filled, 5, [31, 32, 33], 3.0).rows.tolist() == [21, 22, 31, 32, 33]
    assert push(filled, 2, [31, 32, 33], 3.0).rows.tolist() == [32, 33]


def test_a_products_newer_vectors_replace_its_older_ones(filled: VectorQueue) -> None:
    pushed = push(filled, 5, [12, 31], 3.0)
    assert pushed.rows.tolist() == [13, 21, 22, 12, 31]
    assert pushed.texts[pushed.rows == 12][:, 0].tolist() == [3.0]


def test_a_queue_of_nothing_stays_empty() -> None:
    pushed = push(VectorQueue.empty(2, torch.device("cpu")), 0, [1, 2], 1.0)
    assert len(pushed.rows) == len(pushed.groups) == len(pushed.texts) == len(pushed.pictures) == 0


def test_without_the_rows_of_the_batch(filled: VectorQueue) -> None:
    left = filled.without(torch.tensor([22, 11, 99]))
    assert left.rows.tolist() == [12, 13, 21]
    assert left.texts[:, 0].tolist() == [1, 1, 2]


def test_no_gradient_is_kept(filled: VectorQueue) -> None:
    assert not filled.texts.requires_grad
    assert not filled.pictures.requires_grad
