"""How far a model's outputs are from those that the authors' code dumped for the same inputs.

The dump (``case.npz``) has what their graph was fed and what it gave: ``input_ids``, ``input_mask``, ``segment_ids``
[B, T], ``image_feature`` [B, P, F], ``image_mask`` [B, P], ``masked_patch_positions`` [B, M], ``masked_lm_positions``,
``masked_lm_ids``, ``masked_lm_weights`` [B, K], ``nx_sent_labels`` [B], and the outputs named in :func:`differences`.
Letters: B pairs, T text tokens, P patches, F feature size, M masked patches, K masked words, S = T + P, D width.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fashionbert.errors import CheckpointError
from fashionbert.model import FashionBertForPreTraining
from fashionbert.model.encoder import FashionBertOutput
from fashionbert.objectives import alignment_loss, masked_patch_loss, masked_word_loss, released_weights

Case = Mapping[str, Tensor]

_INPUTS = (
    *("input_ids", "input_mask", "segment_ids", "image_feature", "image_mask", "masked_patch_positions"),
    *("masked_lm_positions", "masked_lm_ids", "masked_lm_weights", "nx_sent_labels", "target_raw_patch_features"),
)


def read_case(path: Path) -> dict[str, Tensor]:
    """Read a dump.

    Args:
        path: the ``.npz`` file.

    Returns:
        Its arrays by name.

    Raises:
        CheckpointError: it is no such file, or lacks inputs.
    """
    try:
        with np.load(path) as arrays:
            case = {name: torch.from_numpy(arrays[name]) for name in arrays}
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise CheckpointError(f"{path} is no dump of inputs and outputs (.npz)", [str(error)]) from error
    if missing := [name for name in _INPUTS if name not in case]:
        raise CheckpointError(f"{path} lacks inputs", missing)
    return case


@torch.inference_mode()
def differences(model: FashionBertForPreTraining, case: Case) -> dict[str, float]:
    """Compare every output that the dump has with the model's own, in float32.

    Args:
        model: in evaluation mode.
        case: from :func:`read_case`.

    Returns:
        Largest absolute difference by name of the output: logits of the three tasks, pooled output, losses,
        ``released`` task weights, total loss; alignment and pooled output also in prediction mode (no patch masked).

    Raises:
        CheckpointError: the dump has no outputs, or one of another shape, so it is of another model.
    """
    found = {**_training_outputs(model, case), **_prediction_outputs(model, case)}
    if not case.keys() & found.keys():
        raise CheckpointError("the dump has no outputs to compare", [f"one of {', '.join(found)} is needed"])
    if faults := [
        f"{name}: {list(value.shape)} here, {list(case[name].shape)} there"
        for name, value in found.items()
        if name in case and value.shape != case[name].shape
    ]:
        raise CheckpointError("the dump is of another model", faults)
    return {name: float((value - case[name]).abs().max()) for name, value in found.items() if name in case}


def _training_outputs(model: FashionBertForPreTraining, case: Case) -> dict[str, Tensor]:
    words = case["input_ids"].shape[1]
    outputs = _run(model, case, masked=True)
    hidden_BSD, match_B2, pooled_BD = outputs.last_hidden_state, outputs.alignment_logits, outputs.pooled_output
    assert hidden_BSD is not None
    assert match_B2 is not None
    assert pooled_BD is not None
    word_logits = model.word_logits(_at(hidden_BSD[:, :words], case["masked_lm_positions"]))
    patch_logits = model.patch_logits(_at(hidden_BSD[:, words:], case["masked_patch_positions"]))
    real = case["masked_lm_weights"] > 0
    losses = {
        "masked_lm_loss": masked_word_loss(word_logits[real], case["masked_lm_ids"][real]),
        "next_sentence_loss": alignment_loss(match_B2, case["nx_sent_labels"]),
        "image_loss": masked_patch_loss(patch_logits.flatten(0, 1), case["target_raw_patch_features"].flatten(0, 1)),
    }
    losses_L = torch.stack(list(losses.values()))
    weights_L = released_weights(losses_L)
    logits = {"mlm_logits": word_logits, "mpm_logits": patch_logits, "nsp_logits": match_B2, "pooled_output": pooled_BD}
    return {**logits, **losses, "adaptive_weights": weights_L, "adaptive_loss": (weights_L * losses_L).sum()}


def _prediction_outputs(model: FashionBertForPreTraining, case: Case) -> dict[str, Tensor]:
    outputs = _run(model, case, masked=False)
    assert outputs.alignment_logits is not None
    assert outputs.pooled_output is not None
    return {"predict_nsp_logits": outputs.alignment_logits, "predict_pooled_output": outputs.pooled_output}


def _run(model: FashionBertForPreTraining, case: Case, *, masked: bool) -> FashionBertOutput:
    places_BP = torch.zeros(case["image_mask"].shape, dtype=torch.bool)
    places_BP.scatter_(1, case["masked_patch_positions"], value=True)
    return model(
        input_ids=case["input_ids"],
        attention_mask=case["input_mask"],
        patch_features=case["image_feature"],
        patch_mask=case["image_mask"],
        masked_patches=places_BP if masked else None,
        token_type_ids=case["segment_ids"],
    )


def _at(hidden_BSD: Tensor, places_BM: Tensor) -> Tensor:
    return hidden_BSD.gather(1, places_BM[..., None].expand(-1, -1, hidden_BSD.shape[-1]))
