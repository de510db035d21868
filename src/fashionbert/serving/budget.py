"""From milliseconds that may be spent to cards that may be re-ranked, by what searches have cost so far."""

from collections.abc import Sequence

from fashionbert.search import Answer

_SHARE = 0.1
"""Weight of the newest batch in the running means."""


class CostEstimate:
    """Running means of what a search costs before re-ranking, and of what a card costs there."""

    def __init__(self, *, base_ms: float = 20.0, card_ms: float = 1.0) -> None:
        """Begin with guesses, which the first searches correct.

        Args:
            base_ms: milliseconds of a search without re-ranking.
            card_ms: milliseconds for each card that is re-ranked.
        """
        self.base_ms, self.card_ms = base_ms, card_ms

    def learn(self, answers: Sequence[Answer]) -> None:
        """Take a batch of answers into account; its times are those of the whole batch."""
        if not answers:
            return
        spent = answers[0].milliseconds
        cards = sum(answer.pairs for answer in answers)
        rerank_ms = spent.get("rerank", 0.0)
        self.base_ms += _SHARE * (sum(spent.values()) - rerank_ms - self.base_ms)
        if cards:
            self.card_ms += _SHARE * (rerank_ms / cards - self.card_ms)

    def cards(self, budget_ms: float, most: int) -> int:
        """How many cards fit into a budget.

        Args:
            budget_ms: milliseconds.
            most: upper limit.

        Returns:
            From 0 to ``most``.
        """
        return max(0, min(most, int((budget_ms - self.base_ms) / max(self.card_ms, 1e-3))))
