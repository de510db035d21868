"""Masked words (paper equation 1)."""

from torch import Tensor
from torch.nn import functional as nnf


def masked_word_loss(logits_MV: Tensor, labels_M: Tensor) -> Tensor:
    """Mean cross-entropy over the masked WordPieces.

    Args:
        logits_MV: predictions at the M masked places.
        labels_M: the ids that stood there.

    Returns:
        A scalar, in nats. When nothing is masked it is 0 and still a function of the logits, so that the head takes
        part in every backward pass (distributed training would wait for it otherwise).
    """
    if len(labels_M) == 0:
        return logits_MV.float().sum()
    return nnf.cross_entropy(logits_MV.float(), labels_M)
