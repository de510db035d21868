"""What is worth its time with a model, where ``fashionbert bench frontier`` has found it out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from fashionbert.errors import RunError
from fashionbert.files import write_json
from fashionbert.search.query import MOST_HITS
from fashionbert.types import Speed

ADVICE = "search.json"
USUAL_CARDS = 50


@dataclass(frozen=True, slots=True)
class Advice:
    """How to search where nobody says.

    Attributes:
        cards: to re-rank, for an engine.
        speed: of the pair model, for a new index.
    """

    cards: int = USUAL_CARDS
    speed: Speed = "exact"


def advised(run: Path) -> Advice:
    """Read what was found out for a model.

    Args:
        run: the run folder.

    Returns:
        The advice; the usual one where nothing was found out.

    Raises:
        RunError: the file is broken or edited.
    """
    path = run / ADVICE
    if not path.exists():
        return Advice()
    try:
        values = json.loads(path.read_text("utf-8"))
        cards, speed = values["rerank"], values.get("speed", "exact")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is broken ({error!r}): remove it, or run `fashionbert bench frontier` anew") from error
    if type(cards) is not int or not 0 <= cards <= MOST_HITS:
        raise RunError(f"{path}: rerank = {cards!r} should be a whole number from 0 to {MOST_HITS}")
    if speed not in get_args(Speed):
        raise RunError(f"{path}: speed = {speed!r} should be one of {', '.join(get_args(Speed))}")
    return Advice(cards, speed)


def write_advice(run: Path, advice: Advice, found: Mapping[str, Any]) -> None:
    """Write advice into a run folder.

    Args:
        run: the run folder.
        advice: what to write.
        found: what it is based on.
    """
    write_json(run / ADVICE, {"rerank": advice.cards, "speed": advice.speed, "found": dict(found)})
