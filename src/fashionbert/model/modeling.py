"""FashionBERT: ``[CLS] words [SEP] patches`` through one BERT encoder, and the heads that read it.

Paper sections 1.2-1.3; released code ``modeling_imagebert.py``. Letters: B batch, T text tokens, P patches,
S = T + P, M masked places, F feature size, D width, V vocabulary, E vector size.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import BertModel, PreTrainedModel
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.bert.modeling_bert import BertSelfAttention
from transformers.utils.generic import ModelOutput

from fashionbert.model.config import FashionBertConfig
from fashionbert.model.embeddings import PatchEmbeddings
from fashionbert.model.heads import SideAgreement, VectorHead, WordHead


@dataclass
class FashionBertOutput(ModelOutput):
    """Named outputs of every FashionBERT.

    Attributes:
        last_hidden_state: the encoder's output [B, T+P, D], words first.
        pooled_output: tanh pooler on [CLS] [B, D].
        alignment_logits: [B, 2], class 1 = text and picture belong together (the opposite of BERT's next sentence).
        attention_mask: True at real places [B, T+P].
        attentions: for each layer [B, heads, T+P, T+P], when asked for and attention is ``eager``.
    """

    last_hidden_state: Tensor | None = None
    pooled_output: Tensor | None = None
    alignment_logits: Tensor | None = None
    attention_mask: Tensor | None = None
    attentions: tuple[Tensor, ...] | None = None


class FashionBertPreTrainedModel(PreTrainedModel):
    """Loading and saving for all FashionBERT classes; safetensors, no remote code."""

    config: FashionBertConfig
    config_class = FashionBertConfig
    base_model_prefix = "fashionbert"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_attention_backend = True


class FashionBertModel(FashionBertPreTrainedModel):
    """The encoder: any Hugging Face BERT with patches beside its words."""

    _keys_to_ignore_on_load_unexpected = [r".*_head\..*", r"side_agreement\..*"]  # noqa: RUF012 (transformers' own attribute)

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.patch_embeddings = PatchEmbeddings(config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        patch_features: Tensor | None = None,
        patch_mask: Tensor | None = None,
        masked_patches: Tensor | None = None,
        patch_positions: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_attentions: bool = False,
    ) -> FashionBertOutput:
        """Encode words, or words and patches, in one sequence.

        Args:
            input_ids: ``[CLS] words [SEP]`` and padding [B, T].
            attention_mask: 1 at real tokens [B, T]; None: all are.
            patch_features: [B, P, F]; None encodes the words alone.
            patch_mask: 1 at real patches [B, P]; None: all are.
            masked_patches: True where a patch is set to zero [B, P].
            patch_positions: place of each patch in the grid [B, P]; None: all are there, row-major. Training may
                drop patches to save time.
            token_type_ids: segments of the words [B, T]; None: all 0 ("T"). Query and title: 0 and 1 (section 1.10).
            position_ids: [1 or B, T]; None counts from 0. With query and title it restarts at the title.
            output_attentions: also return the attention maps; needs ``attn_implementation="eager"``.

        Returns:
            Everything but the alignment logits.
        """
        hidden_BSD = self.bert.embeddings(input_ids=input_ids, token_type_ids=token_type_ids, position_ids=position_ids)
        mask_BS = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        mask_BS = mask_BS.bool()
        if patch_features is not None:
            patches_BPD = self.patch_embeddings(patch_features, masked_patches, patch_positions)
            hidden_BSD = torch.cat([hidden_BSD, patches_BPD.to(hidden_BSD.dtype)], dim=1)
            real_BP = mask_BS.new_ones(patch_features.shape[:2]) if patch_mask is None else patch_mask.bool()
            mask_BS = torch.cat([mask_BS, real_BP], dim=1)
        layer_mask = create_bidirectional_mask(
            config=self.bert.config, inputs_embeds=hidden_BSD, attention_mask=mask_BS
        )
        with _recorded_attention(self.bert) if output_attentions else nullcontext() as attentions:
            hidden_BSD = self.bert.encoder(hidden_BSD, attention_mask=layer_mask).last_hidden_state
        pooler = self.bert.pooler
        assert pooler is not None, "BertModel is built with its pooler"
        return FashionBertOutput(
            last_hidden_state=hidden_BSD,
            pooled_output=pooler(hidden_BSD),
            attention_mask=mask_BS,
            attentions=None if attentions is None else tuple(attentions),
        )


@contextmanager
def _recorded_attention(bert: BertModel) -> Iterator[list[Tensor]]:
    """Collect the attention maps of the layers that run inside the block."""
    maps: list[Tensor] = []
    modules = [module for module in bert.encoder.modules() if isinstance(module, BertSelfAttention)]
    hooks = [module.register_forward_hook(lambda _, __, output: maps.append(output[1])) for module in modules]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


class FashionBertForMatching(FashionBertPreTrainedModel):
    """Encoder, alignment head and, where the checkpoint has it, the vector head: all that search needs."""

    _keys_to_ignore_on_load_unexpected = [r"word_head\..*", r"patch_head\..*"]  # noqa: RUF012 (transformers' own attribute)

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__(config)
        self.fashionbert = FashionBertModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.alignment_head = nn.Linear(config.hidden_size, 2)
        self.vector_head = VectorHead(config) if config.contrastive_size else None
        self.side_agreement = SideAgreement() if config.side_agreement else None
        self._add_heads(config)
        self.post_init()

    def _add_heads(self, config: FashionBertConfig) -> None:
        """Give subclasses their heads before the weights are initialised."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        patch_features: Tensor | None = None,
        patch_mask: Tensor | None = None,
        masked_patches: Tensor | None = None,
        patch_positions: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_attentions: bool = False,
    ) -> FashionBertOutput:
        """Encode pairs and say whether they belong together; arguments as in :class:`FashionBertModel`."""
        outputs = self.fashionbert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            patch_features=patch_features,
            patch_mask=patch_mask,
            masked_patches=masked_patches,
            patch_positions=patch_positions,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            output_attentions=output_attentions,
        )
        outputs.alignment_logits = self.alignment_head(self.dropout(outputs.pooled_output))
        if self.side_agreement is not None and patch_features is not None:
            assert self.vector_head is not None, "the configuration refuses side_agreement without a vector head"
            outputs.alignment_logits = outputs.alignment_logits + self.side_agreement(
                outputs.last_hidden_state, outputs.attention_mask, input_ids.shape[1], self.vector_head
            )
        return outputs

    def text_vectors(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Unit vectors of texts alone [B, E].

        Raises:
            ValueError: the model has no vector head.
        """
        outputs = self.fashionbert(input_ids=input_ids, attention_mask=attention_mask)
        return self._vectors(outputs, "text")

    def picture_vectors(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        patch_features: Tensor | None = None,
        patch_mask: Tensor | None = None,
        patch_positions: Tensor | None = None,
    ) -> Tensor:
        """Unit vectors of pictures [B, E]; a picture alone is read as ``[CLS] [SEP] patches``.

        Raises:
            ValueError: the model has no vector head.
        """
        outputs = self.fashionbert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            patch_features=patch_features,
            patch_mask=patch_mask,
            patch_positions=patch_positions,
        )
        return self._vectors(outputs, "picture")

    def _vectors(self, outputs: FashionBertOutput, side: str) -> Tensor:
        if self.vector_head is None:
            raise ValueError(
                "this model has no vector head (contrastive_size is 0): train one with the contrastive task, "
                "for example with --preset fast"
            )
        return self.vector_head(outputs.last_hidden_state, outputs.attention_mask, side)


class FashionBertForPreTraining(FashionBertForMatching):
    """All heads. The masked ones are applied to whatever places are handed to them, so only masked places cost."""

    _keys_to_ignore_on_load_unexpected = None

    def _add_heads(self, config: FashionBertConfig) -> None:
        self.word_head = WordHead(config)
        self.patch_head = nn.Linear(config.hidden_size, config.patch_feature_size, bias=False)

    def word_logits(self, hidden_MD: Tensor) -> Tensor:
        """Logits over the vocabulary [M, V] (paper equation 1)."""
        return self.word_head(hidden_MD, self.fashionbert.bert.embeddings.word_embeddings.weight)

    def patch_logits(self, hidden_MD: Tensor) -> Tensor:
        """Logits of the patch feature's distribution [M, F] (paper equation 2)."""
        return self.patch_head(hidden_MD)
