"""What a check says: one finding for each kind of fault, counted, with examples and a remedy.

An *error* says that training or its measure would suffer: the held-out part leaks into training, equal things are
taken for different ones, or more than :data:`TOLERATED` of the products are broken. Up to that share it is a
*warning*: what is broken is set aside and training goes on. A *note* tells what the figures will be made of.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

TOLERATED = 0.01
"""Share of the products that may be broken before training suffers."""
EXAMPLES = 5
"""Examples kept of each kind of fault."""

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of fault.

    Attributes:
        level: ``error`` if training would suffer, ``warning`` or ``note``.
        name: short stable name.
        count: how many products, pictures, groups or subcategories it touches; the message says which.
        examples: the first of them: product ids, places, groups or subcategories.
        message: what it means and what to do.
    """

    level: Level
    name: str
    count: int
    examples: tuple[str, ...]
    message: str


class Tally:
    """Counts faults by name while a catalogue streams by, keeping the first examples of each.

    Args:
        products: number of products that a share is taken of.
    """

    def __init__(self, products: int) -> None:
        self._products = products
        self._messages: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, name: str, example: str, message: str) -> None:
        """Count one case; the first message of a name stands for all."""
        self._messages.setdefault(name, message)
        self._counts[name] = self._counts.get(name, 0) + 1
        examples = self._examples.setdefault(name, [])
        if len(examples) < EXAMPLES:
            examples.append(example)

    def findings(self) -> list[Finding]:
        """Return a finding for each name, an error if it touches more than :data:`TOLERATED` of the products."""
        return [
            finding(level_of(count, self._products), name, count, self._examples[name], self._messages[name])
            for name, count in self._counts.items()
        ]


def level_of(count: int, products: int) -> Level:
    """Return the level of a fault that is bearable in few products."""
    return "error" if count > TOLERATED * products else "warning"


def finding(level: Level, name: str, count: int, examples: Iterable[str], message: str) -> Finding:
    """Make a finding, with the first examples only."""
    return Finding(level=level, name=name, count=count, examples=tuple(examples)[:EXAMPLES], message=message)


def by_level(findings: Sequence[Finding]) -> list[Finding]:
    """Sort findings: errors first, then warnings and notes, the most frequent first."""
    order = ("error", "warning", "note")
    return sorted(findings, key=lambda one: (order.index(one.level), -one.count, one.name))
