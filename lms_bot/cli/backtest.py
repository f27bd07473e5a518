"""`lms-bot backtest`: what alerts would have been sent in the past, and how right they would have been."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from lms_bot.cli.options import DONE, Commands, settings_of
from lms_bot.cli.progress import StepsBar
from lms_bot.core.alerts import DEFAULTS, Limits, Rule
from lms_bot.core.calendar import DAY, local_day, start_of_day
from lms_bot.core.principal import Principal
from lms_bot.errors import ConfigError, UserError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from lms_bot.config.settings import Settings
    from lms_bot.reports.backtest.replays import Backtest, Period
    from lms_bot.store.session import Transaction

ADMIN = Principal.of((), (), is_admin=True)  # whoever may read the settings
LONGEST = 365  # days, where nothing else is asked for


def add_to(commands: Commands) -> None:
    backtest = commands.add_parser("backtest", help="replay the alerts of the past, and say how right they were")
    backtest.add_argument("--from", dest="begin", type=_day, metavar="DATE", help="the first day (default: a year ago)")
    backtest.add_argument("--to", dest="end", type=_day, metavar="DATE", help="the last day (default: yesterday)")
    backtest.add_argument(
        "--set", dest="limits", type=_limit, action="append", default=[], metavar="RULE=LIMIT",
        help="compare with another limit of a rule, as inactive=7d or stuck=off",
    )  # fmt: skip
    backtest.add_argument("--json", action="store_true", help="print one line of JSON")
    backtest.set_defaults(run=_backtest)


def _backtest(options: argparse.Namespace) -> int:
    """Replay, and print how right the alerts were. Raises ConfigError and StoreUnavailable."""
    from lms_bot.reports.backtest.replays import Plan, replay
    from lms_bot.store.session import open_store

    settings = settings_of(options)
    compared: dict[str, Limits] = {"default": DEFAULTS}
    if options.limits:
        compared["set"] = {**DEFAULTS, **dict(options.limits)}
    store = open_store(settings.store_database_url)
    try:
        with store.reading() as transaction, StepsBar() as bar:
            period, found = _period(transaction, options, settings), {}
            if period is None:
                print("{}" if options.json else "There is no whole day in the store yet that could be replayed.")
                return DONE
            for name, limits in compared.items():
                plan = Plan(period, settings.timezone, settings.alerts_per_day, limits)
                show = _shower(bar, f"Mentors, {name} limits")
                found[name] = replay(transaction, ADMIN, plan, show)
    finally:
        store.close()
    if options.json:
        print(json.dumps({name: _as_json(one) for name, one in found.items()}))
    else:
        print("\n\n".join(_table(name, one, settings.timezone) for name, one in found.items()))
    return DONE


def _shower(bar: StepsBar, step: str) -> Any:
    return lambda done, total: bar.show(step, done, total)


def _period(transaction: Transaction, options: argparse.Namespace, settings: Settings) -> Period | None:
    """Return the days that are asked for, but none before the first event; None where there are none yet.

    Raises ConfigError for days that cannot be asked for.
    """
    from lms_bot.reports.backtest.replays import Period, first_known

    zone = settings.timezone
    today = datetime.now(UTC).astimezone(zone).date()
    first = first_known(transaction, ADMIN)
    begin = options.begin or max(today - LONGEST * DAY, first.astimezone(zone).date() if first else today - DAY)
    end = options.end or today - DAY
    if begin > end and not (options.begin or options.end):
        return None
    if not begin <= end < today:
        raise ConfigError(f"there are no whole days from {begin} to {end}")
    ends = tuple(start_of_day(begin + number * DAY, zone) for number in range(1, (end - begin).days + 2))
    return Period(start_of_day(begin, zone), ends)


def _as_json(found: Backtest) -> dict[str, Any]:
    return {
        "from": found.period.begin.isoformat(),
        "to": found.period.end.isoformat(),
        "mentors": found.mentors,
        "students": len(found.outcomes),
        "outcomes": Counter(one.kind.value for one in found.outcomes.values() if one),
        "rules": [{**one._asdict(), "rule": one.rule or "all"} for one in found.judged()],
    }


def _table(name: str, found: Backtest, zone: ZoneInfo) -> str:
    became = Counter(one.kind.value for one in found.outcomes.values() if one)
    said = ", ".join(f"{count:,} {kind}" for kind, count in became.most_common()) or "nothing became of any"
    days = f"{local_day(found.period.begin, zone)} to {local_day(found.period.end, zone) - DAY}"
    names = ("alerts", "per mentor+week", "students", "precision", "recall", "lead days")
    lines = [
        f"{name} limits, {days}: {found.mentors:,} mentors, {len(found.outcomes):,} students, of whom {said}",
        f"{'rule':<16}" + "".join(f"{name:>17}" for name in names),
    ]
    for rule, *figures in found.judged():
        cells = ("–" if figure is None else f"{figure:,}" for figure in figures)
        lines.append(f"{rule or 'all':<16}" + "".join(f"{cell:>17}" for cell in cells))
    return "\n".join(lines)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date like 2026-03-02") from error


def _limit(text: str) -> tuple[Rule, float]:
    """Return a rule and its limit, given as inactive=7d."""
    from lms_bot.handlers.mentor.alert_rules import limit_of

    name, _, limit = text.partition("=")
    if name not in set(Rule):
        raise argparse.ArgumentTypeError(f"there is no rule {name!r}; there are {', '.join(Rule)}")
    try:
        found = limit_of(Rule(name), limit)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Rule(name), DEFAULTS[Rule(name)] if found is None else found
