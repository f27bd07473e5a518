"""The commands there are, who may use each, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from lms_bot.core.principal import Role
from lms_bot.core.search.spelling import corrections, did_you_mean
from lms_bot.errors import UserError
from lms_bot.handlers import arguments
from lms_bot.handlers.arguments import Argument, Arguments, Given, Missing
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import quote

Run = Callable[[Request, Arguments], Reply | str]


class UnknownCommand(UserError):
    """There is no such command for the asker, here; `near` are those that may have been meant."""

    def __init__(self, message: str, near: Sequence[str]) -> None:
        super().__init__(message)
        self.near = near


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `summary` is the first line of its function's docstring, `details` the rest.

    One that `changes` something is written into the audit; the answer of one that `is_personal` is the asker's alone.
    `place` is that of its section in lists of commands, and `topic` what that section is about.
    """

    name: str
    audience: Role
    arguments: tuple[Argument, ...]
    changes: bool
    is_personal: bool
    summary: str
    details: str
    run: Run
    place: int = 0
    topic: str = ""

    @property
    def usage(self) -> str:
        return " ".join([self.name, *(argument.usage for argument in self.arguments)])

    @property
    def takes_notes(self) -> bool:
        """Return whether free words are kept as they were typed."""
        return any(argument.key == "note" for argument in self.arguments)

    def given(self, text: str) -> Given:
        """Return which of the words after the command are meant for what. Raises UserError, with the usage."""
        try:
            return arguments.given(self.arguments, text)
        except Missing as missing:
            raise Missing(str(self._explained(missing)), missing.argument, missing.found) from missing
        except UserError as error:
            raise self._explained(error) from error

    def answer(self, request: Request, typed: Given) -> Reply:
        """Return what the command gives with the rights of its own audience. Raises UserError."""
        request = replace(request, principal=request.principal.acting_as(self.audience))
        reply = self.run(request, arguments.read(self.arguments, request, typed))
        return reply if isinstance(reply, Reply) else Reply(reply)

    def explanation(self) -> str:
        """Return how it works, as `help` and the command reference say it."""
        lines = [f"* `{argument.usage}` – {_meaning(argument)}" for argument in self.arguments]
        return "\n\n".join(part for part in (f"`{self.usage}`", self.summary, "\n".join(lines), self.details) if part)

    def _explained(self, error: UserError) -> UserError:
        return UserError(f"{error}\nIt is written `{self.usage}`; `help {self.name}` says more.")


class Registry:
    """The commands by audience and name."""

    def __init__(self) -> None:
        self._commands: dict[tuple[Role, str], Command] = {}

    def section(self, audience: Role, place: int, topic: str) -> Section:
        """Return what registers the commands of a module, which stand together at a `place` in lists of commands."""
        return Section(self, audience, place, topic)

    def command(
        self,
        name: str,
        audience: Role,
        *expected: Argument,
        changes: bool = False,
        is_personal: bool | None = None,
        section: tuple[int, str] = (0, ""),
    ) -> Callable[[Run], Run]:
        """Register a function as the command of this name, which these arguments may follow.

        Unless said otherwise, what mentors and students are answered is personal, and what admins are answered is not.
        """
        alone = audience is not Role.ADMIN if is_personal is None else is_personal

        def register(run: Run) -> Run:
            summary, _, details = (run.__doc__ or "").strip().partition("\n")
            lines = " ".join(line.strip() for line in details.strip().splitlines())
            command = Command(name, audience, expected, changes, alone, summary, lines, run, *section)
            self._commands[audience, name] = command
            return run

        return register

    def of(self, audience: Role) -> list[Command]:
        """Return the commands of one audience: section by section, and in each as they were registered."""
        found = [command for (whose, _), command in self._commands.items() if whose is audience]
        return sorted(found, key=lambda command: command.place)

    def among(self, audiences: Iterable[Role]) -> list[Command]:
        """Return the commands for these audiences; of one name an admin's goes before a mentor's and a student's."""
        names: dict[str, Command] = {}
        for audience in (Role.ADMIN, Role.MENTOR, Role.STUDENT):
            if audience in audiences:
                for command in self.of(audience):
                    names.setdefault(command.name, command)
        return list(names.values())

    def get(self, audience: Role, name: str) -> Command | None:
        return self._commands.get((audience, name))

    def sentence(self, text: str, audiences: Iterable[Role]) -> Command | None:
        """Return the command whose name of several words this is, in any case."""
        words = " ".join(text.casefold().split())
        return next((command for command in self.among(audiences) if command.name == words and " " in words), None)

    def find(self, word: str, audiences: Iterable[Role]) -> Command:
        """Return the command of this name, in any case. Raises UserError, which says what may have been meant."""
        commands = {command.name: command for command in self.among(audiences)}
        if word.casefold() in commands:
            return commands[word.casefold()]
        near = corrections(word, [name for name in commands if " " not in name])
        hint = did_you_mean(word, list(commands))
        raise UnknownCommand(f"I do not know “{quote(word, 40)}”.{hint} Write `help` to see what I can do.", near)


@dataclass(frozen=True, slots=True)
class Section:
    """The commands of one module: all for one audience, and together in lists of commands."""

    registry: Registry
    audience: Role
    place: int
    topic: str

    def command(
        self, name: str, *expected: Argument, changes: bool = False, is_personal: bool | None = None
    ) -> Callable[[Run], Run]:
        """Register a function as a command of this section, as `Registry.command` does."""
        section = (self.place, self.topic)
        return self.registry.command(
            name, self.audience, *expected, changes=changes, is_personal=is_personal, section=section
        )


def _meaning(argument: Argument) -> str:
    return f"{argument.meaning} Without it: `{argument.default}`." if argument.default else argument.meaning


REGISTRY = Registry()
