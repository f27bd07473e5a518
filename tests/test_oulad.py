"""The benchmark on public data runs on any folder of it, and says what it is asked to."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.oulad import __main__ as benchmark
from benchmarks.oulad.dataset import Dataset
from benchmarks.oulad.figures import WEEKS

SAMPLE = Path(__file__).parent / "oulad"
NAMES = [
    *("week", "n", "base", "auc", "precision_top10", "recall_top10", "sent_precision", "sent_recall"),
    "alerts_per_mentor_week",
]


def measured(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[str, list[dict[str, float]]]:
    monkeypatch.setattr(sys, "argv", ["oulad", str(folder), "--json"])
    benchmark.main()
    lines = capsys.readouterr().out.splitlines()
    return "\n".join(lines[:-1]), json.loads(lines[-1])


def test_the_figures_of_each_week_are_over_who_is_enrolled_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, rows = measured(SAMPLE, capsys, monkeypatch)
    assert [row["week"] for row in rows] == list(WEEKS)
    assert all(list(row) == NAMES for row in rows)
    enrolled = Dataset.read(SAMPLE).enrolments
    assert [row["n"] for row in rows] == [sum(one.unregistered > 7 * week for one in enrolled) for week in WEEKS]
    week_10 = rows[WEEKS.index(10)]
    assert week_10["auc"] > 0.7
    assert week_10["sent_precision"] > week_10["base"]
    assert week_10["alerts_per_mentor_week"] > 0
    assert text.startswith("| week | n | base | auc |")
    assert "* deadline_missed: " in text
    assert "* gender F: n " in text


def test_a_folder_may_have_other_codes_and_gaps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in SAMPLE.glob("*.csv"):
        shutil.copy(path, tmp_path)
    renamed = (tmp_path / "students.csv").read_text().replace("DDD", "Z9").replace("2013B", "2031X")
    (tmp_path / "students.csv").write_text(renamed + "Z9,2031X,seventy,,,,,,,\nZ9,2031X,late,Pass,30.0,,F,,,N\n")
    for name in ("activity", "assessments", "courses"):
        text = (tmp_path / f"{name}.csv").read_text().replace("DDD", "Z9").replace("2013B", "2031X")
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
        (tmp_path / f"{name}.csv").unlink()
    with (tmp_path / "submissions.csv").open("a") as file:
        file.write("nobody,1,?,\nseventy,unknown,12,55\n")
    _, rows = measured(tmp_path, capsys, monkeypatch)
    assert rows[0]["n"] == 2 + measured(SAMPLE, capsys, monkeypatch)[1][0]["n"]
