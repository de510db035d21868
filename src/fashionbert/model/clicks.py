"""Will it be clicked on? The product form of the paper's section 3.4: query, title and picture in one sequence.

Letters: B batch, T text tokens, P patches, F feature size, D width.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from fashionbert.model.config import FashionBertConfig
from fashionbert.model.encoder import FashionBertModel

ClickImage = Literal["none", "beside", "inside"]


class ClickModel(nn.Module):
    """An encoder with a head on [CLS], in the three forms of Table 4.

    ``none`` reads the words alone. ``beside`` puts the mean patch feature next to what the encoder says of the words
    (BERT+IMG). ``inside`` reads the patches in the sequence (FashionBERT).
    """

    def __init__(self, config: FashionBertConfig, image: ClickImage) -> None:
        super().__init__()
        self.config, self.image = config, image
        self.fashionbert = FashionBertModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        size = config.hidden_size + (config.patch_feature_size if image == "beside" else 0)
        self.head = nn.Linear(size, 2)
        nn.init.normal_(self.head.weight, std=config.initializer_range)
        nn.init.zeros_(self.head.bias)

    @classmethod
    def from_encoder(
        cls, encoder: FashionBertModel, image: ClickImage, *, layers: int | None, seed: int
    ) -> "ClickModel":
        """Start from an encoder, or from its first layers (Table 3 and 4 of the paper).

        Args:
            encoder: pre-trained; stays as it is. Where its words and patches were apart in lower layers they meet in
                all of them from now on.
            image: what is done with the picture.
            layers: how many layers are taken; None: all.
            seed: of the head; torch's global generator is left as it was.

        Returns:
            The model, float32 on the CPU.

        Raises:
            ValueError: the encoder has fewer layers.
        """
        count = encoder.config.num_hidden_layers if layers is None else layers
        if count > encoder.config.num_hidden_layers:
            raise ValueError(f"{count} layers are asked for, the encoder has {encoder.config.num_hidden_layers}")
        heads = {"contrastive_size": 0, "late_interaction_size": 0, "bank_size": 0, "side_agreement": False}
        shape = {"num_hidden_layers": count, "split_layers": 0, **heads}
        config = FashionBertConfig(**{**_fields(encoder.config), **shape})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = cls(config, image)
        wanted = model.fashionbert.state_dict()
        model.fashionbert.load_state_dict(
            {name: value for name, value in encoder.state_dict().items() if name in wanted}
        )
        return model

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        position_ids: Tensor,
        patch_features: Tensor | None = None,
    ) -> Tensor:
        """Say whether products will be clicked on.

        Args:
            input_ids: ``[CLS] query [SEP] title [SEP]`` and padding [B, T].
            attention_mask: True at real tokens [B, T].
            token_type_ids: 0 for the query, 1 for the title [B, T].
            position_ids: counted anew in the title [B, T].
            patch_features: of the pictures [B, P, F]; None without pictures.

        Returns:
            Logits [B, 2], class 1 = clicked on.

        Raises:
            ValueError: pictures are missing.
        """
        if (patch_features is None) != (self.image == "none"):
            verb = "needs" if patch_features is None else "reads no"
            raise ValueError(f"a click model with image = {self.image!r} {verb} pictures")
        outputs = self.fashionbert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            patch_features=patch_features if self.image == "inside" else None,
        )
        read_BD = outputs.pooled_output
        assert read_BD is not None
        if self.image == "beside" and patch_features is not None:
            mean_BF = self.fashionbert.patch_embeddings.standardise(patch_features).mean(dim=1)
            read_BD = torch.cat([read_BD, mean_BF.to(read_BD.dtype)], dim=1)
        return self.head(self.dropout(read_BD))


def _fields(config: FashionBertConfig) -> dict[str, object]:
    dropped = {"model_type", "architectures", "transformers_version", "dtype", "_name_or_path"}
    return {name: value for name, value in config.to_dict().items() if name not in dropped}
