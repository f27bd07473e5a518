"""Shows the demo on a terminal, and reads what a person types there."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from threading import Lock

from rich.console import Console, RenderableType
from rich.control import Control
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn
from rich.segment import ControlType
from rich.text import Text

from lms_bot.core.events import EventType
from lms_bot.core.notifications import Recipient
from lms_bot.demo.chat import ADMIN_STREAM, BOT, PEOPLE, TOPIC, Person
from lms_bot.demo.markdown import rendered
from lms_bot.lms.schemas import SCHEMA
from lms_bot.pipeline import poller
from lms_bot.render import EMOJI

WIDTH = 100
NAMES = {person.user_id: person.full_name for person in PEOPLE.values()}
BORDERS = {
    EMOJI[EventType.EXAM_PASSED]: "green",
    EMOJI[EventType.CERTIFICATION_ISSUED]: "green",
    EMOJI[EventType.EXAM_FAILED]: "red",
}
ERASE_LINE = Control((ControlType.ERASE_IN_LINE, 2), ControlType.CARRIAGE_RETURN)


class Output(Console):
    """Standard output; one who has seen enough ends the demo as any other command."""

    def on_broken_pipe(self) -> None:
        raise  # the error that rich handles just now


class Screen:
    """Shows things in the order in which they come; messages to `me`, once that is set, stand out."""

    def __init__(self, clock: Callable[[], datetime], console: Console | None = None) -> None:
        self._clock = clock
        self._lock = Lock()
        self._prompt: str | None = None
        self.me: Person | None = None
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        is_terminal = sys.stdout.isatty()
        self._console = console or Output(
            force_terminal=is_terminal, width=None if is_terminal else WIDTH, highlight=False, markup=False, emoji=False
        )

    def happened(self, sentences: Sequence[str]) -> None:
        """Show what happened in the LMS at once."""
        time = f"{self._clock().astimezone():%H:%M}"
        self.note("".join(f"\n{time}  In the LMS, {sentence}." for sentence in sentences))

    def message(self, recipient: Recipient, text: str) -> None:
        """Show a message of the bot: in bright colours to `me`, or while nobody is; dim to others."""
        is_mine = self.me is None or self._is_for(self.me, recipient)
        title = Text(f"🤖 {BOT.full_name} → {_address(recipient)}", style="bold" if is_mine else "")
        title.append(f" · {self._clock().astimezone():%H:%M}", style="not bold")
        self._show(
            Panel(
                rendered(text, self._clock()),
                title=title,
                title_align="left",
                border_style=BORDERS.get(text[:1], "blue") if is_mine else "dim",
                style="" if is_mine else "dim",
                padding=(0, 1),
                width=self._width,
            )
        )

    def question(self, asker: Person, text: str) -> None:
        """Show a question to the bot."""
        where = f" in #{ADMIN_STREAM.name}" if asker.is_admin else ""
        self._show(Text.assemble(("\n💬 ", ""), (f"{asker.full_name}{where}: ", "bold"), (text, "yellow")))

    def note(self, text: str) -> None:
        """Show a remark of the narrator."""
        self._show(Text(text, style="dim italic"))

    def plain(self, text: str) -> None:
        """Show a line as it is."""
        self._show(Text(text))

    @contextlib.contextmanager
    def progress(self) -> Iterator[poller.Progress | None]:
        """Show a bar for the history in a terminal, nothing elsewhere."""
        if not self._console.is_terminal:
            yield None
            return
        columns = (TextColumn("History of {task.description}"), BarColumn(), TextColumn("{task.fields[rows]} rows"))
        with Progress(*columns, console=self._console) as bar:
            tasks = {source.name: bar.add_task(source.name, total=1.0, rows=0) for source in SCHEMA.sources}
            yield lambda table, done, rows: bar.update(tasks[table], completed=done, rows=rows)

    def read(self, prompt: str) -> str:
        """Return what the person types. Raises EOFError and KeyboardInterrupt."""
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - gives the prompt its line editing
        self._prompt = prompt
        try:
            return input(prompt)
        finally:
            self._prompt = None

    @property
    def _width(self) -> int:
        return min(WIDTH, self._console.width)

    def _is_for(self, person: Person, recipient: Recipient) -> bool:
        return person.is_admin if recipient.stream_id is not None else person.user_id in recipient.user_ids

    def _show(self, what: RenderableType) -> None:
        """Print above the line that is being typed, if one is."""
        with self._lock:
            prompt = self._prompt
            if prompt is None:
                self._console.print(what, width=self._width)
                return
            self._console.control(ERASE_LINE)
            self._console.print(what, width=self._width)
            self._console.file.write(prompt + _typed_so_far())
            self._console.file.flush()


def _typed_so_far() -> str:
    try:
        import readline
    except ImportError:
        return ""
    return readline.get_line_buffer()


def _address(recipient: Recipient) -> str:
    if recipient.stream_id is not None:
        return f"#{ADMIN_STREAM.name} > {TOPIC}"
    return ", ".join(NAMES[user_id] for user_id in recipient.user_ids)
