"""A trained model that a smaller one imitates.

Letters: B products, N pairs.
"""

from pathlib import Path

import torch
from torch import Tensor

from fashionbert.config import Settings
from fashionbert.data import MaskedPictures, MaskedTexts, TextBatch
from fashionbert.errors import RunError
from fashionbert.model import FashionBertForPreTraining, Meeting
from fashionbert.scoring import load_model
from fashionbert.scoring.run_folder import pairs_were_learnt
from fashionbert.training.reading import BatchReader, BatchSides, DrawnPairs, PairSides


class Teacher:
    """Says of a batch what the trained model thinks of it; takes no gradient and is no part of a checkpoint."""

    def __init__(self, model: FashionBertForPreTraining) -> None:
        """Take a trained model.

        Args:
            model: put into evaluation mode.
        """
        self.model = model.eval().requires_grad_(requires_grad=False)
        self.reader = BatchReader(model)

    @classmethod
    def load(cls, run: Path) -> "Teacher":
        """Load the model of a run folder.

        Args:
            run: the folder.

        Returns:
            The teacher.

        Raises:
            RunError: the folder is missing or damaged.
        """
        return cls(load_model(run, FashionBertForPreTraining))

    def to(self, device: torch.device) -> None:
        """Bring it to a device."""
        self.model.to(device)  # pyright: ignore[reportArgumentType] (transformers wraps nn.Module.to)

    @torch.no_grad()
    def read(self, texts: MaskedTexts, pictures: MaskedPictures, titles: TextBatch | None) -> BatchSides:
        """Read a batch as its student sees it, with what is hidden from that."""
        return self.reader.own(texts, pictures, titles)

    @torch.no_grad()
    def likenesses(self, own: BatchSides) -> list[Tensor]:
        """How alike each text and each picture of the batch are: logits [B, B], as the student's reader gives them."""
        return self.reader.likenesses(self.reader.alone(own))

    @torch.no_grad()
    def margins(self, own: BatchSides, sides: PairSides, pairs: DrawnPairs) -> Tensor:
        """How well pairs match.

        Args:
            own: the batch, read by the teacher.
            sides: what was hidden in the batch; whose model has read it does not matter.
            pairs: the pairs.

        Returns:
            Margins [N].
        """
        asks = self.model.side_agreement is not None
        vectors = self.reader.vectors(own.texts, own.frame, own.pictures) if asks else None
        read = PairSides(own.texts, own.pictures, vectors, sides.labels, sides.masked, sides.features)
        read = self.reader.with_foreign(read, own.frame, pairs)
        meeting = Meeting(self.model.fashionbert, read.texts, read.pictures, len(pairs.text_of))
        matched = self.model.match(meeting, pairs.text_of, pairs.picture_of, read.vectors_of(pairs))
        logits_N2 = matched.alignment_logits
        assert logits_N2 is not None
        return logits_N2[:, 1] - logits_N2[:, 0]


def teacher_faults(settings: Settings) -> list[str]:
    """Say why a teacher cannot teach what the settings describe, before anything is computed.

    Args:
        settings: of the run; they name the teacher, or none.

    Returns:
        Faults with name, value and remedy.
    """
    name = settings.distillation.teacher
    if name is None:
        return []
    try:
        its, learnt = load_model(Path(name)).config, pairs_were_learnt(Path(name))
    except RunError as error:
        return [f"distillation.teacher = {name!r}: {error}"]
    model, faults = settings.model, []
    if not learnt:
        faults.append("it has not learnt to score pairs yet: go on with its run")
    if its.patches != settings.images.patches:
        faults.append(f"its pictures have {its.patches} patches, here {settings.images.patches}: set images.grid alike")
    if model.max_text_tokens > its.max_position_embeddings:
        faults.append(f"it reads {its.max_position_embeddings} WordPieces: lower model.max_text_tokens to that")
    faults += [
        f"model.{size} is {getattr(its, size)} there, {getattr(model, size)} here: both have it or neither"
        for size in ("contrastive_size", "late_interaction_size")
        if bool(getattr(its, size)) != bool(getattr(model, size))
    ]
    return [f"distillation.teacher = {name!r}: {fault}" for fault in faults]
