"""Texts and pictures that were read before meet in any pairs, at the least cost that gives the same scores.

An alignment score asks for [CLS] alone. Where only the last layer joins the sides, [CLS] of a text asks all words and
all patches once, and what it asks and what they hold depends on one side each: keys, values, the words' share of the
attention are computed once a side, and a pair costs one attention over P patches and one place of the feed-forward.

Letters: U texts, V pictures, N pairs, H heads, h size of a head (D = H * h), T text tokens, P patches, D width.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertLayer, BertSelfAttention

from fashionbert.model.encoder import FashionBertModel, Side


class Meeting:
    """U texts and V pictures, ready to be paired."""

    def __init__(self, encoder: FashionBertModel, texts: Side, pictures: Side) -> None:
        """Do what depends on one side alone.

        Args:
            encoder: that has read the sides.
            texts: from :meth:`FashionBertModel.read_texts`.
            pictures: from :meth:`FashionBertModel.read_pictures`.
        """
        self._encoder, self._texts, self._pictures = encoder, texts, pictures
        if not encoder.joins_in_one_layer:
            return
        self._layer = cast(BertLayer, encoder.bert.encoder.layer[-1])
        attention = cast(BertSelfAttention, self._layer.attention.self)
        self._query_UHh = _heads(attention, attention.query, texts.hidden[:, :1])[:, :, 0] / math.sqrt(
            attention.attention_head_size
        )
        scores_UHT = _scores(self._query_UHh, _heads(attention, attention.key, texts.hidden), texts.mask)
        values_UHTh = _heads(attention, attention.value, texts.hidden)
        self._words_UH = scores_UHT.logsumexp(dim=-1)
        self._words_UHh = _mix(scores_UHT, values_UHTh)
        self._keys_VHPh = _heads(attention, attention.key, pictures.hidden)
        self._values_VHPh = _heads(attention, attention.value, pictures.hidden)

    def first_places(self, text_of_N: Tensor, picture_of_N: Tensor) -> Tensor:
        """Encode pairs.

        Args:
            text_of_N: which text each pair has.
            picture_of_N: which picture each pair has.

        Returns:
            [CLS] after the last layer [N, D], as :meth:`FashionBertModel.join` gives it.
        """
        if not self._encoder.joins_in_one_layer:
            width = int(self._texts.mask[text_of_N].sum(dim=1).max())
            texts = self._texts.narrowed(width)[text_of_N]
            joined = self._encoder.join(texts, self._pictures[picture_of_N], only_cls=True)
            assert joined.last_hidden_state is not None
            return joined.last_hidden_state[:, 0]
        mask_NP = self._pictures.mask[picture_of_N]
        scores_NHP = _scores(self._query_UHh[text_of_N], self._keys_VHPh[picture_of_N], mask_NP)
        patches_NHh = _mix(scores_NHP, self._values_VHPh[picture_of_N])
        # The softmax over words and patches together, from the two that were taken apart.
        share_NH1 = torch.sigmoid(scores_NHP.logsumexp(dim=-1) - self._words_UH[text_of_N])[..., None]
        words_NHh = self._words_UHh[text_of_N]
        context_NHh = words_NHh + share_NH1.to(words_NHh.dtype) * (patches_NHh - words_NHh)
        attended_ND = self._layer.attention.output(context_NHh.flatten(1), self._texts.hidden[text_of_N, 0])
        return self._layer.output(self._layer.intermediate(attended_ND), attended_ND)


def _heads(attention: BertSelfAttention, linear: nn.Linear, hidden_USD: Tensor) -> Tensor:
    return linear(hidden_USD).unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)


def _scores(query_NHh: Tensor, keys_NHSh: Tensor, mask_NS: Tensor) -> Tensor:
    """Attention logits [N, H, S] in float32, -inf at padding."""
    logits_NHS = (keys_NHSh @ query_NHh[..., None]).squeeze(-1).float()
    return logits_NHS.masked_fill(~mask_NS[:, None], float("-inf"))


def _mix(scores_NHS: Tensor, values_NHSh: Tensor) -> Tensor:
    shares_NH1S = scores_NHS.softmax(dim=-1).to(values_NHSh.dtype)[:, :, None]
    return (shares_NH1S @ values_NHSh).squeeze(2)
