"""`python -m lms_bot` is `lms-bot`."""

from __future__ import annotations

from lms_bot.cli import main

if __name__ == "__main__":
    main()
