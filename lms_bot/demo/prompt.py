"""Lets a person be a mentor who asks at a prompt, while the school lives on in the background."""

from __future__ import annotations

import logging
import threading

from lms_bot.core.search.spelling import nearest
from lms_bot.demo.chat import ADMIN_STREAM, PEOPLE, Person
from lms_bot.demo.screen import Screen
from lms_bot.demo.stage import Stage

log = logging.getLogger(__name__)

STEP_EVERY = 6.0  # seconds
FIRST_STEP_AFTER = 2.0
FIRST_HINT = """
Students start, pass, fail, watch and finish things from now on.
Messages in bright colours are yours. Write to the bot, for example:
    help · students · history @jane_smith · chart @jane_smith · stats
or move about in the demo:
    whoami · as omar · as jane (a student) · as ada (an admin) · quit"""
OWN_COMMANDS = "In this demo also: whoami, as NAME (mary, omar, lucy, the student jane, or the admin ada), quit."


def run(stage: Stage, screen: Screen) -> None:
    """Answer until the person has enough."""
    Prompt(stage, screen).run()


class Prompt:
    """One person at the prompt, as one of PEOPLE at a time."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._me = PEOPLE["mary"]
        self._stopping = threading.Event()

    def run(self) -> None:
        life = threading.Thread(target=self._live, name="school", daemon=True)
        self._become(self._me)
        self._screen.note(FIRST_HINT)
        life.start()
        try:
            while self._take(self._screen.read(f"{self._me.handle}> ").strip()):
                pass
        except (EOFError, KeyboardInterrupt):
            self._screen.plain("")
        finally:
            self._stopping.set()
            life.join(STEP_EVERY)

    def _live(self) -> None:
        pause = FIRST_STEP_AFTER
        while not self._stopping.wait(pause):
            pause = STEP_EVERY
            try:
                self._stage.live()
            except Exception:
                # The outermost line of the thread: the prompt goes on without a school.
                log.exception("the school stands still")
                return

    def _take(self, line: str) -> bool:
        """Do what was typed; False when that was the end."""
        word, _, rest = line.partition(" ")
        if word.casefold() in ("quit", "exit", "bye"):
            return False
        if word.casefold() == "whoami":
            self._show_me()
        elif word.casefold() == "as":
            self._switch(rest)
        elif line:
            self._stage.ask(self._me, line)
            if word.casefold() == "help":
                self._screen.note(OWN_COMMANDS)
        return True

    def _switch(self, name: str) -> None:
        words = name.casefold().lstrip("@ ").split()
        person = PEOPLE.get(words[0]) if words else None
        if person:
            self._become(person)
            return
        near = nearest(words[0], list(PEOPLE)) if words else None
        hint = f"Did you mean `as {near}`?" if near else f"Try one of {', '.join(f'`as {one}`' for one in PEOPLE)}."
        self._screen.note(f"Nobody here has that name. {hint}" if words else hint)

    def _become(self, person: Person) -> None:
        self._me = self._screen.me = person
        self._show_me()

    def _show_me(self) -> None:
        me = self._me
        if me.is_admin:
            self._screen.note(f"You are {me.full_name}, an admin, writing in the private channel #{ADMIN_STREAM.name}.")
        elif me.is_student:
            self._screen.note(f"You are {me.full_name}, a student. Ask: me · streak · what does my mentor see")
        else:
            students = ", ".join(self._stage.students_of(me))
            self._screen.note(f"You are {me.full_name}, the mentor of {students}.")
