"""What a catalogue lost while it was read, said once by every command that works on one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from fashionbert.catalogue import Catalogue


def say_set_aside(catalogue: "Catalogue", console: "Console") -> None:
    """Print how many rows were set aside, counted by reason with an example each; nothing where there are none.

    Args:
        catalogue: the whole catalogue; its splits know of no faults.
        console: of standard error.
    """
    from fashionbert.catalogue.judge import summarise

    if catalogue.faults:
        title = (
            f"{catalogue.name}: rows set aside or short of a picture: {catalogue.faulty_rows:,} "
            "(more examples: fashionbert catalogue check)"
        )
        lines = "\n  - ".join([title, *summarise(catalogue.faults)])
        console.print(lines, markup=False, highlight=False, soft_wrap=True)
