"""The statement that describes how students stood at the beginning of weeks."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.core.events import BY_CLOCK, EventType
from lms_bot.core.streaks import Kind


def _listed(*kinds: EventType) -> str:
    return ", ".join(f"'{kind.value}'" for kind in kinds)


_WATCHED = _listed(EventType.CONTENT_COMPLETED, EventType.CONTENT_WATCHED)
_EXAM_ENDS = _listed(*(kind for kind in EventType if kind.is_exam_end))

# What each database says in its own way. Percentages have four places, so that both write the same.
_WORDS = {
    "sqlite": {
        "weeks": """
            SELECT json_extract(value, '$[0]') AS day, json_extract(value, '$[1]') AS eve,
                   json_extract(value, '$[2]') AS begins, json_extract(value, '$[3]') AS reach
            FROM json_each(:weeks)""",
        "pupils": """
            SELECT json_extract(value, '$[0]') AS student_id, json_extract(value, '$[1]') AS since
            FROM json_each(:students)""",
        "content_type": "json_extract(e.activity_metadata, '$.content_type')",
        "progress": "json_extract(e.activity_metadata, '$.progress')",
        "streak": "CAST(julianday(w.day) - julianday(k.first_day) AS INTEGER)",
        "scores": """json_group_object(label, json_object(
            'percentage', round(100.0 * correct / total, 4), 'n', n))""",
        "earliest": "'1990-01-01 00:00:00.000000'",
        "newest": ":newest",
        "nothing": "'{}'",
    },
    "postgresql": {
        "weeks": """
            SELECT (v->>0)::date AS day, (v->>1)::date AS eve,
                   ((v->>2) || '+00')::timestamptz AS begins, ((v->>3) || '+00')::timestamptz AS reach
            FROM json_array_elements(CAST(:weeks AS json)) AS j(v)""",
        "pupils": """
            SELECT (v->>0)::bigint AS student_id, ((v->>1) || '+00')::timestamptz AS since
            FROM json_array_elements(CAST(:students AS json)) AS j(v)""",
        "content_type": "e.activity_metadata ->> 'content_type'",
        "progress": "(e.activity_metadata ->> 'progress')::numeric",
        "streak": "(w.day - k.first_day)",
        "scores": """json_object_agg(label, json_build_object(
            'percentage', round(100.0 * correct / total, 4), 'n', n) ORDER BY label)""",
        "earliest": "'1990-01-01 00:00:00Z'::timestamptz",
        "newest": "CAST(:newest AS date)",
        "nothing": "'{}'::json",
    },
}

# Each event is read once, however many weeks are described. A student has a snapshot of the newest week, and of those
# that began after the first event; what was described before is described anew.
_STATEMENT = """
WITH RECURSIVE weeks AS MATERIALIZED ({weeks}),
pupils AS MATERIALIZED ({pupils}),
begun AS MATERIALIZED (
    SELECT p.student_id, p.since, (
        SELECT e.timestamp FROM lms_activity_events AS e
        WHERE e.student_id = p.student_id AND e.timestamp >= {earliest}
          AND e.event_type NOT IN ({by_clock}) AND NOT e.is_withdrawn
        ORDER BY e.timestamp LIMIT 1) AS first_at
    FROM pupils AS p),
finished AS MATERIALIZED (
    SELECT e.student_id, e.timestamp AS at, e.percentage, e.source_table, e.source_id
    FROM pupils AS p JOIN lms_activity_events AS e ON e.student_id = p.student_id
    WHERE e.event_type IN ({exam_ends}) AND e.is_current AND NOT e.is_withdrawn
      AND e.mirrors IS NULL),
results AS MATERIALIZED (
    SELECT x.student_id, x.at, r.label, r.correct, r.total
    FROM finished AS x JOIN attempt_results AS r ON r.attempt_id = x.source_id AND r.exam_source = x.source_table
    WHERE r.dimension = 'subject' AND r.total > 0),
seen AS MATERIALIZED (
    SELECT e.student_id, e.source_table, e.activity_id, min(e.timestamp) AS at
    FROM pupils AS p JOIN lms_activity_events AS e ON e.student_id = p.student_id
    WHERE e.is_current AND NOT e.is_withdrawn AND e.mirrors IS NULL AND e.activity_id IS NOT NULL
      AND CASE WHEN e.event_type IN ({watched}) THEN lower({content_type}) = 'video'
               WHEN e.event_type = 'content_progress' THEN {progress} >= 90 END
    GROUP BY e.student_id, e.source_table, e.activity_id),
same AS (
    SELECT DISTINCT source_table AS seen_table, activity_id AS seen_id, source_table, activity_id FROM seen
    UNION
    SELECT s.seen_table, s.seen_id, o.source_table, o.activity_id
    FROM same AS s
    JOIN course_items AS i ON i.source_table = s.source_table AND i.activity_id = s.activity_id
    JOIN course_items AS o ON o.course_id = i.course_id AND o.item = i.item),
named AS MATERIALIZED (
    SELECT seen_table, seen_id, min(source_table || ':' || CAST(activity_id AS text)) AS video
    FROM same GROUP BY seen_table, seen_id),
watched AS MATERIALIZED (
    SELECT s.student_id, n.video, min(s.at) AS at
    FROM seen AS s JOIN named AS n ON n.seen_table = s.source_table AND n.seen_id = s.activity_id
    GROUP BY s.student_id, n.video),
exam_figures AS MATERIALIZED (
    SELECT x.student_id, w.day, count(*) AS n, avg(x.percentage) AS average
    FROM finished AS x JOIN weeks AS w ON x.at < w.begins GROUP BY x.student_id, w.day),
video_figures AS MATERIALIZED (
    SELECT v.student_id, w.day, count(*) AS n
    FROM watched AS v JOIN weeks AS w ON v.at < w.begins GROUP BY v.student_id, w.day),
subjects AS MATERIALIZED (
    SELECT r.student_id, w.day, r.label, sum(r.correct) AS correct, sum(r.total) AS total, count(*) AS n
    FROM results AS r JOIN weeks AS w ON r.at < w.begins GROUP BY r.student_id, w.day, r.label),
scores AS MATERIALIZED (SELECT student_id, day, {scores} AS scores FROM subjects GROUP BY student_id, day)
INSERT INTO student_academic_snapshots (student_id, snapshot_date, total_exams_taken, average_score, videos_watched,
                                        streak_count, subject_scores)
SELECT p.student_id, w.day, coalesce(x.n, 0), x.average, coalesce(v.n, 0), coalesce({streak}, 0),
       coalesce(s.scores, {nothing})
FROM begun AS p CROSS JOIN weeks AS w
LEFT JOIN exam_figures AS x ON x.student_id = p.student_id AND x.day = w.day
LEFT JOIN video_figures AS v ON v.student_id = p.student_id AND v.day = w.day
LEFT JOIN scores AS s ON s.student_id = p.student_id AND s.day = w.day
LEFT JOIN streaks AS k ON k.student_id = p.student_id AND k.kind = '{learning}'
                      AND k.first_day <= w.eve AND k.last_day >= w.eve
WHERE w.reach > p.since AND (
    p.first_at < w.begins OR w.day = {newest} OR EXISTS (
        SELECT 1 FROM student_academic_snapshots AS b
        WHERE b.student_id = p.student_id AND b.snapshot_date = w.day))
ON CONFLICT (student_id, snapshot_date) DO UPDATE SET
    total_exams_taken = excluded.total_exams_taken, average_score = excluded.average_score,
    videos_watched = excluded.videos_watched, streak_count = excluded.streak_count,
    subject_scores = excluded.subject_scores
"""


@cache
def describing(dialect: str) -> sa.TextClause:
    """Return the statement, which takes `weeks`, `students` (both JSON) and `newest`."""
    words: dict[str, Any] = {
        "by_clock": _listed(*BY_CLOCK),
        "exam_ends": _EXAM_ENDS,
        "watched": _WATCHED,
        "learning": Kind.LEARNING.value,
    }
    given = _WORDS[dialect]
    escaped = {name: text.replace("::", r"\:\:") for name, text in given.items()}
    return sa.text(_STATEMENT.format(**words, **escaped))
