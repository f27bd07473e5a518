"""`lms-bot doctor`: print one line for each finding, and what to do about it."""

from __future__ import annotations

import argparse
import json
from functools import partial

from lms_bot.cli.options import DONE, FAILED, Commands, settings_of
from lms_bot.cli.progress import StepsBar


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "doctor",
        help="look whether the LMS, the event store and Zulip are as they should be",
        description="Looks at the LMS, the event store, Zulip and this machine, and changes nothing. Prints a line for "
        "each finding: ok, warning or failed, with what to do. Exit code 1 if something has failed; warnings alone "
        "give 0. With --schema it looks at the LMS alone, and reads samples of it.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as one line of JSON")
    parser.add_argument(
        "--schema", action="store_true", help="look whether the LMS is as lms_schema declares it; reads the newest rows"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    from lms_bot.core.reports.findings import Level
    from lms_bot.doctor import examine, examine_schema

    if options.schema:
        with StepsBar() as bar:
            findings = examine_schema(settings, partial(bar.show, "Looking at the LMS"))
    else:
        findings = examine(settings, options.config_file, settings_file=options.bot_config_file)
    counts = {level.value: sum(finding.level is level for finding in findings) for level in Level}
    if options.json:
        told = [{"check": f.check, "level": f.level.value, "message": f.message, "advice": f.advice} for f in findings]
        print(json.dumps({"findings": told, **counts}, ensure_ascii=False))
    else:
        for finding in findings:
            print(finding)
        print(", ".join(f"{count} {level}" for level, count in counts.items()))
    return FAILED if counts[Level.FAILED.value] else DONE
