"""What goes to the terminal, or into a pipe: text that is never read as markup, on lines that are never folded."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.filesize import decimal
from rich.text import Text

from imaptap.cli.errors import escaped
from imaptap.exporting.times import local


class Output(Console):
    """Standard output. Colours on a terminal only, and not where NO_COLOR is set."""

    def __init__(self) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Leave it to the group of commands, which knows the exit code."""
        raise BrokenPipeError

    def say(self, text: Text | str = "", style: str = "") -> None:
        """Print one line; control characters in a `str` are escaped, those in a Text must have been."""
        self.print(text if isinstance(text, Text) else Text(escaped(text), style), soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
        """Print columns as wide as what stands in them; headings that end in ">" are those of numbers."""
        cells = [[cell if isinstance(cell, Text) else Text(escaped(cell)) for cell in row] for row in rows]
        names = [Text(heading.rstrip(">"), "bold") for heading in headings]
        widths = [max(cell_len(row[column].plain) for row in [names, *cells]) for column in range(len(headings))]
        for row in [names, *cells]:
            self.say(_joined(row, widths, headings))


def _joined(row: Sequence[Text], widths: Sequence[int], headings: Sequence[str]) -> Text:
    line = Text()
    for cell, width, heading in zip(row, widths, headings, strict=True):
        blank = " " * (width - cell_len(cell.plain))
        line.append("  " if line else "")
        line.append_text(Text.assemble(blank, cell) if heading.endswith(">") else Text.assemble(cell, blank))
    line.rstrip()
    return line


def amount(size: int | None) -> str:
    """A number of bytes for people."""
    return "-" if size is None else decimal(size)


def day(wall: int) -> str:
    """Local date and time, to the second."""
    return f"{local(wall):%Y-%m-%d %H:%M:%S}"
