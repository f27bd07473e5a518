"""Makes docs/commands.md from the commands: `make commands`."""

from __future__ import annotations

import sys

from lms_bot.core.principal import Role
from lms_bot.handlers.commands import REGISTRY

_INTRODUCTION = """# Commands

Write to the bot in a direct message, or mention it anywhere in a message in a channel. The first word is the
command, in any case; a typing error in it is corrected where it is clear what is meant. `[...]` may be left out, and
what follows the command may come in any order; `key:value` takes `key:"two words"` too. A question about one of your
students, like “How is Jane doing?”, shows their card. What is about students is always answered in a direct message.

When several students match, or none is named, answer with the number of the one you mean. When a list goes on, write
`more`. Both work for 15 minutes, until your next command. A question that you edit within a minute is answered anew.
"""
_HEADINGS = {
    Role.MENTOR: "## For mentors, about their own students",
    Role.STUDENT: "## For students, about themselves",
    Role.ADMIN: "## For admins, in the private admin channel",
}


def page() -> str:
    """Return the page docs/commands.md."""
    parts = [_INTRODUCTION]
    for audience, heading in _HEADINGS.items():
        parts.append(f"{heading}\n")
        parts += [f"### {command.name}\n\n{command.explanation()}\n" for command in REGISTRY.of(audience)]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
