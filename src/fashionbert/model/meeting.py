"""Texts and pictures that were read before meet in any pairs, at the least cost that gives the same scores.

An alignment score asks for [CLS] alone. Where only the last layer joins the sides, [CLS] of a text asks all words and
all patches once, and what it asks and what they hold depends on one side each; a pair then costs one attention over P
patches and one place of the feed-forward. Patches can be asked in two ways, which give the same numbers:

- by their keys and values, two products of matrices a picture, worth it where a picture is in many pairs;
- as they are, where it is in few, as when a query is re-ranked: the query passes the key matrix the other way round,
  ``q . (K p) = (q K) . p``, and patches are mixed before the value matrix, ``sum a (V p) = V (sum a p)``.

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

    def __init__(self, encoder: FashionBertModel, texts: Side, pictures: Side, pairs: int) -> None:
        """Do what depends on one side alone.

        Args:
            encoder: that has read the sides.
            texts: from :meth:`FashionBertModel.read_texts`.
            pictures: from :meth:`FashionBertModel.read_pictures`.
            pairs: that will be asked for in all; decides what is done once a picture, and changes no score.
        """
        self._encoder, self._texts, self._pictures = encoder, texts, pictures
        if not encoder.joins_in_one_layer:
            return
        self._layer = cast(BertLayer, encoder.bert.encoder.layer[-1])
        attention = cast(BertSelfAttention, self._layer.attention.self)
        query_UHh = _heads(attention, attention.query, texts.hidden[:, :1])[:, :, 0] / math.sqrt(
            attention.attention_head_size
        )
        scores_UHT = _scores(query_UHh, _heads(attention, attention.key, texts.hidden), texts.mask)
        values_UHTh = _heads(attention, attention.value, texts.hidden)
        self._words_UH = scores_UHT.logsumexp(dim=-1)
        self._words_UHh = _mix(scores_UHT, values_UHTh)
        by_keys = 2 * pairs * attention.num_attention_heads > len(pictures.hidden) * pictures.hidden.shape[2]
        self._patches = (_ByKeys if by_keys else _AsTheyAre)(attention, query_UHh, pictures)

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
        patches_NH, patches_NHh = self._patches.asked(text_of_N, picture_of_N)
        # The softmax over words and patches together, from the two that were taken apart.
        share_NH1 = torch.sigmoid(patches_NH - self._words_UH[text_of_N])[..., None]
        words_NHh = self._words_UHh[text_of_N]
        context_NHh = words_NHh + share_NH1.to(words_NHh.dtype) * (patches_NHh - words_NHh)
        attended_ND = self._layer.attention.output(context_NHh.flatten(1), self._texts.hidden[text_of_N, 0])
        return self._layer.output(self._layer.intermediate(attended_ND), attended_ND)


class _ByKeys:
    """Patches that are asked by their keys and answer by their values."""

    def __init__(self, attention: BertSelfAttention, query_UHh: Tensor, pictures: Side) -> None:
        self._query_UHh, self._mask_VP = query_UHh, pictures.mask
        self._keys_VHPh = _heads(attention, attention.key, pictures.hidden)
        self._values_VHPh = _heads(attention, attention.value, pictures.hidden)

    def asked(self, text_of_N: Tensor, picture_of_N: Tensor) -> tuple[Tensor, Tensor]:
        """Sum of the exponential scores of the patches, as a logarithm [N, H], and the mix of their values."""
        mask_NP = self._mask_VP[picture_of_N]
        scores_NHP = _scores(self._query_UHh[text_of_N], self._keys_VHPh[picture_of_N], mask_NP)
        return scores_NHP.logsumexp(dim=-1), _mix(scores_NHP, self._values_VHPh[picture_of_N])


class _AsTheyAre:
    """Patches that are asked without keys and mixed without values."""

    def __init__(self, attention: BertSelfAttention, query_UHh: Tensor, pictures: Side) -> None:
        self._pictures = pictures
        heads, size = attention.num_attention_heads, attention.attention_head_size
        key_HhD = attention.key.weight.unflatten(0, (heads, size))
        self._query_UHD = torch.einsum("uhk,hkd->uhd", query_UHh, key_HhD)
        self._bias_UH = (query_UHh * attention.key.bias.unflatten(0, (heads, size))).sum(dim=-1)
        self._value_HhD = attention.value.weight.unflatten(0, (heads, size))
        self._value_bias_Hh = attention.value.bias.unflatten(0, (heads, size))

    def asked(self, text_of_N: Tensor, picture_of_N: Tensor) -> tuple[Tensor, Tensor]:
        """As of :class:`_ByKeys`."""
        patches_NPD, mask_NP = _taken(self._pictures.hidden, picture_of_N), self._pictures.mask[picture_of_N]
        scores_NHP = (self._query_UHD[text_of_N] @ patches_NPD.transpose(1, 2)).float()
        scores_NHP = (scores_NHP + self._bias_UH[text_of_N][..., None]).masked_fill(~mask_NP[:, None], float("-inf"))
        mixed_NHD = scores_NHP.softmax(dim=-1).to(patches_NPD.dtype) @ patches_NPD
        values_NHh = torch.einsum("nhd,hkd->nhk", mixed_NHD, self._value_HhD) + self._value_bias_Hh
        return scores_NHP.logsumexp(dim=-1), values_NHh


def _taken(rows_V: Tensor, index_N: Tensor) -> Tensor:
    """``rows_V[index_N]``, without a copy where the rows stand in one run."""
    first, count = int(index_N[0]), len(index_N)
    if torch.equal(index_N, torch.arange(first, first + count, device=index_N.device)):
        return rows_V[first : first + count]
    return rows_V[index_N]


def _heads(attention: BertSelfAttention, linear: nn.Linear, hidden_USD: Tensor) -> Tensor:
    return linear(hidden_USD).unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)


def _scores(query_NHh: Tensor, keys_NHSh: Tensor, mask_NS: Tensor) -> Tensor:
    """Attention logits [N, H, S] in float32, -inf at padding."""
    logits_NHS = (keys_NHSh @ query_NHh[..., None]).squeeze(-1).float()
    return logits_NHS.masked_fill(~mask_NS[:, None], float("-inf"))


def _mix(scores_NHS: Tensor, values_NHSh: Tensor) -> Tensor:
    shares_NH1S = scores_NHS.softmax(dim=-1).to(values_NHSh.dtype)[:, :, None]
    return (shares_NH1S @ values_NHSh).squeeze(2)
