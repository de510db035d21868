"""What a student learns from a teacher that has read the same batch (ours, not the paper's).

The teacher's answers stand where the truth stands in the other losses: how alike each text and each picture are takes
the place of which belong together. The idea is that of Hinton et al., 2015 (arXiv 1503.02531). Letters: B products,
N pairs, k wrong pairs a product.
"""

import torch
from torch import Tensor
from torch.nn import functional as nnf


def soft_contrastive_loss(student_BB: Tensor, teacher_BB: Tensor) -> Tensor:
    """How far a student's view of a batch is from its teacher's, text by text and picture by picture.

    Args:
        student_BB: logits of each text with each picture.
        teacher_BB: the teacher's logits of the same.

    Returns:
        Mean of the two divergences KL(teacher || student), a scalar in nats; 0 where they agree.
    """
    return (_divergence(student_BB, teacher_BB) + _divergence(student_BB.T, teacher_BB.T)) / 2


def soft_alignment_loss(student_N: Tensor, teacher_N: Tensor, positives: int) -> Tensor:
    """How far a student's margins of pairs are from its teacher's.

    Half of it is of each pair by itself, match or no match, right and wrong pairs weighing the same, which keeps
    probabilities meaningful; half is of the order in each list of a right pair and its wrong ones, as in
    :func:`~fashionbert.objectives.alignment.alignment_list_loss`.

    Args:
        student_N: margins of B right pairs, then k blocks of B wrong ones, pair i of each block for product i.
        teacher_N: the teacher's margins of the same pairs.
        positives: B.

    Returns:
        Mean of the two divergences KL(teacher || student), a scalar in nats; 0 where they agree.
    """
    student_N, teacher_N = student_N.float(), teacher_N.float()
    of_pairs_N = _binary_divergence(student_N, teacher_N)
    right, wrong = of_pairs_N[:positives], of_pairs_N[positives:]
    by_pair = torch.stack([part.mean() for part in (right, wrong) if len(part)]).mean()
    lists_student, lists_teacher = (each.view(-1, positives).T for each in (student_N, teacher_N))
    return (by_pair + _divergence(lists_student, lists_teacher)) / 2


def _divergence(student_BC: Tensor, teacher_BC: Tensor) -> Tensor:
    """Mean over rows of KL(softmax(teacher) || softmax(student))."""
    student_BC, teacher_BC = (each.float().log_softmax(dim=1) for each in (student_BC, teacher_BC))
    return nnf.kl_div(student_BC, teacher_BC, reduction="batchmean", log_target=True)


def _binary_divergence(student_N: Tensor, teacher_N: Tensor) -> Tensor:
    share_N = teacher_N.sigmoid()
    cross_N = nnf.binary_cross_entropy_with_logits(student_N, share_N, reduction="none")
    return cross_N - nnf.binary_cross_entropy_with_logits(teacher_N, share_N, reduction="none")
