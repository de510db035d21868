"""Masked patches (paper equation 2)."""

from torch import Tensor
from torch.nn import functional as nnf


def masked_patch_loss(logits_MF: Tensor, features_MF: Tensor) -> Tensor:
    """Mean KL divergence from the true to the predicted distribution of a patch, a scalar in nats; 0 for no patch.

    Both are distributions over the F entries of a patch feature, by softmax: KL(softmax(feature) || softmax(logits)).
    The paper writes the divergence's arguments the other way round; this order is the released code's
    (reference: EasyTransfer, keras KLD), and the one that has the data as its target.

    Args:
        logits_MF: predictions at the M masked places.
        features_MF: the raw features that were set to zero there.
    """
    if len(features_MF) == 0:
        return logits_MF.float().sum()
    target_MF = nnf.log_softmax(features_MF.float(), dim=-1)
    prediction_MF = nnf.log_softmax(logits_MF.float(), dim=-1)
    return nnf.kl_div(prediction_MF, target_MF, reduction="batchmean", log_target=True)
