"""Masked patches (paper equation 2)."""

from torch import Tensor
from torch.nn import functional as nnf


def masked_patch_loss(logits_MF: Tensor, features_MF: Tensor) -> Tensor:
    """Mean over the masked patches of ``KL(softmax(feature) || softmax(logits))``.

    The softmax makes distributions over the F entries of the true feature and of its prediction.
    The paper writes the divergence's arguments the other way round; this order is the released code's
    (reference: EasyTransfer, keras KLD), and the one that has the data as its target.

    Args:
        logits_MF: predictions at the M masked places.
        features_MF: the features that were set to zero there, as they were before.

    Returns:
        A scalar, in nats; 0 when there are no masked patches.
    """
    if len(features_MF) == 0:
        return logits_MF.float().sum()
    target_MF = nnf.log_softmax(features_MF.float(), dim=-1)
    prediction_MF = nnf.log_softmax(logits_MF.float(), dim=-1)
    return nnf.kl_div(prediction_MF, target_MF, reduction="batchmean", log_target=True)
