"""Shows the school in a browser: the real pages, for a mentor, a student and an admin without any account."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import webbrowser
from contextlib import suppress

from lms_bot.demo.chat import PEOPLE
from lms_bot.demo.prompt import STEP_EVERY
from lms_bot.demo.screen import Screen
from lms_bot.demo.stage import Stage
from lms_bot.errors import LmsBotError
from lms_bot.web.server import serve

log = logging.getLogger(__name__)

HOST, PORT = "127.0.0.1", 8484
VISITORS = {"mary": "a mentor", "jane": "a student", "ada": "an admin"}


def address() -> tuple[str, int]:
    """Return where the pages can be: at the usual port, or at a free one where that is taken."""
    for port in (PORT, 0):
        with suppress(OSError), socket.create_server((HOST, port)) as listener:
            return HOST, int(listener.getsockname()[1])
    raise LmsBotError(f"no port of {HOST} is free")


def run(stage: Stage, screen: Screen, listen: tuple[str, int]) -> None:
    """Open the pages of a mentor, and let the school live until somebody ends it."""
    stage.pin_admin_channel()
    links = {handle: stage.link_for(PEOPLE[handle]) for handle in VISITORS}
    screen.note("\nOpen a link in your browser; each is good once, within ten minutes. Ctrl+C ends the demo.\n")
    for handle, who in VISITORS.items():
        screen.plain(f"  {PEOPLE[handle].full_name}, {who}:\n  {links[handle]}\n")
    if sys.stdout.isatty():
        webbrowser.open(links["mary"])
    stopping = threading.Event()
    life = threading.Thread(target=_live, args=(stage, stopping), name="school", daemon=True)
    life.start()
    try:
        serve(stage.store, stage.settings, listen)
    finally:
        stopping.set()
        life.join(STEP_EVERY)


def _live(stage: Stage, stopping: threading.Event) -> None:
    while not stopping.wait(STEP_EVERY):
        try:
            stage.live()
        except Exception:
            # The outermost line of the thread: the pages go on without a school.
            log.exception("the school stands still")
            return
