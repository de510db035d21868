"""``index.json``: what an index was made with, so that another model is refused instead of giving nonsense."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fashionbert.errors import SearchIndexError
from fashionbert.files import write_json
from fashionbert.types import Precision, Speed

MANIFEST = "index.json"
FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an index was made with.

    Attributes:
        model: the run folder, as it was named.
        model_fingerprint: of its weights, its shape and the files beside them.
        precision: that the pair model was asked for.
        speed: at which the pair model reads pictures and scores them.
        numbers: what its layers multiply at that speed; empty in indexes of earlier versions, which do not say.
        record_bytes: size of a kept picture.
        recall: what recalls: ``fashionbert``, or the hub model that takes the first stage.
        vector_size: E.
        recall_fingerprint: of the hub model; the model's own where there is none.
        thumbnail_side: longest side of the pictures that the table keeps.
        pictures: at most so many pictures of a product.
        exact_up_to: views up to which search is exact and in memory; above, the engine's index is asked.
        titles: whether titles stand before pictures in the vectors.
    """

    model: str
    model_fingerprint: str
    precision: Precision
    record_bytes: int
    vector_size: int
    speed: Speed = "exact"
    numbers: str = ""
    recall: str = "fashionbert"
    recall_fingerprint: str = ""
    thumbnail_side: int = 320
    pictures: int = 8
    exact_up_to: int = 500_000
    titles: bool = False

    def write(self, folder: Path) -> None:
        """Write it into an index's folder."""
        write_json(folder / MANIFEST, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read it from an index's folder.

        Args:
            folder: of the index.

        Returns:
            The manifest.

        Raises:
            SearchIndexError: there is none, it is edited, or another version wrote it.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise SearchIndexError(
                f"{folder} is no search index, it has no {MANIFEST}; make one: "
                f"`fashionbert index CATALOGUE --model RUN --out {folder}`"
            )
        try:
            values = json.loads(path.read_text("utf-8"))
            written_by = values.pop("format")
            manifest = cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SearchIndexError(f"{path} is broken or edited ({error!r}): {_ANEW}") from error
        if written_by != FORMAT:
            raise SearchIndexError(f"{path} has format {written_by}, this version reads {FORMAT}: {_ANEW}")
        return manifest

    def refuse_other(self, wanted: "Manifest", folder: Path) -> None:
        """Raise where this index cannot take what ``wanted`` would write, naming every difference.

        Args:
            wanted: of the index that was asked for; where the model lies does not matter.
            folder: of the index.

        Raises:
            SearchIndexError: with every difference.
        """
        mine, theirs = asdict(self), asdict(wanted)
        differences = [
            f"{name} is {mine[name]!r}, now {theirs[name]!r}"
            for name in mine
            if name != "model" and mine[name] != theirs[name] and not (name == "numbers" and not self.numbers)
        ]
        if differences:
            raise SearchIndexError(
                f"the index {folder} was made with another model or other settings: {'; '.join(differences)}; "
                "name the model it was made with, or make another index"
            )


_ANEW = "take a whole copy of the index, or make it anew"
