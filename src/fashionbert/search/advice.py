"""How many cards are worth re-ranking with a model, where ``fashionbert bench frontier`` has found it out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashionbert.errors import RunError
from fashionbert.files import write_json
from fashionbert.search.query import MOST_HITS

ADVICE = "search.json"
USUAL_CARDS = 50


def advised_cards(run: Path) -> int:
    """Read how many cards to re-rank where nobody says.

    Args:
        run: the run folder.

    Returns:
        What was found out for the model, or :data:`USUAL_CARDS`.

    Raises:
        RunError: the file is broken or edited.
    """
    path = run / ADVICE
    if not path.exists():
        return USUAL_CARDS
    try:
        cards = json.loads(path.read_text("utf-8"))["rerank"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is broken ({error!r}): remove it, or run `fashionbert bench frontier` anew") from error
    if type(cards) is not int or not 0 <= cards <= MOST_HITS:
        raise RunError(f"{path}: rerank = {cards!r} should be a whole number from 0 to {MOST_HITS}")
    return cards


def write_advice(run: Path, cards: int, found: Mapping[str, Any]) -> None:
    """Write into a run folder how many cards to re-rank.

    Args:
        run: the run folder.
        cards: how many.
        found: what that is based on.
    """
    write_json(run / ADVICE, {"rerank": cards, "found": dict(found)})
