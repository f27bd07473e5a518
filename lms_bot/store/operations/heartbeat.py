"""The heartbeat: which process works for the store, as it notes itself every half minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lms_bot.core.operations.circuit_breaker import Circuit, CircuitState
from lms_bot.core.process import Process, Working
from lms_bot.store import state
from lms_bot.store.session import Transaction

WORKER = "worker"
CIRCUIT = "lms_circuit"  # the fact: whether the worker reads the LMS


def note(
    transaction: Transaction,
    process: Process,
    since: datetime,
    now: datetime,
    *,
    polling_since: datetime | None = None,
    zulip_version: str | None = None,
) -> None:
    """Note which process works, since when, and whether it is in a poll."""
    value = {
        "host": process.host,
        "pid": process.pid,
        "started_at": process.started_at.isoformat(),
        "since": since.isoformat(),
        "polling_since": polling_since.isoformat() if polling_since else None,
        "zulip_version": zulip_version,
    }
    state.note(transaction, WORKER, value, now)


def last_worker(transaction: Transaction) -> Working | None:
    """Return the process that works, or worked last; None if none ever did."""
    found = state.some(transaction, [WORKER, CIRCUIT])
    if WORKER not in found:
        return None
    value, seen_at = found[WORKER]
    process = Process(value["host"], value["pid"], datetime.fromisoformat(value["started_at"]))
    polling = value["polling_since"]
    return Working(
        process,
        _moment(value["since"]),
        _moment(polling) if polling else None,
        value["zulip_version"],
        seen_at,
        circuit_of(found[CIRCUIT][0]) if CIRCUIT in found else CircuitState(),
    )


def note_circuit(transaction: Transaction, circuit: CircuitState, now: datetime) -> None:
    """Note whether the process that works reads the LMS."""
    open_until = circuit.open_until.isoformat() if circuit.open_until else None
    state.note(transaction, CIRCUIT, [circuit.circuit, circuit.failures, open_until], now)


def circuit_of(value: Sequence[Any]) -> CircuitState:
    """Return the state of a circuit as it was noted."""
    circuit, failures, open_until = value
    return CircuitState(Circuit(circuit), failures, _moment(open_until) if open_until else None)


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(text)
