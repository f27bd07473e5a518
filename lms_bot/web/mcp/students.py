"""Tools about students: who they are, how they stand, what their exams came to, and how they learn."""

from __future__ import annotations

from dataclasses import replace

from lms_bot.core.reports.academics.document import profile_document
from lms_bot.reports import patterns
from lms_bot.reports.academics import profiles
from lms_bot.reports.web import students
from lms_bot.web.answers import student_as_seen
from lms_bot.web.api.academics import performance_page
from lms_bot.web.mcp import arguments
from lms_bot.web.mcp.calls import Call, Document


def find_students(call: Call, asked: arguments.FindStudents) -> Document:
    """Find students by name, username, id or course: their ids are what the other tools take.

    Without any words it lists everybody whom the token may read. A token without the scope `names` looks for, and
    reads, pseudonyms.
    """
    found = students.find(call.transaction, call.principal, asked.name, asked.course, call.shown)
    end = asked.after + asked.limit
    return {
        "students": [
            {
                "student_id": one.student_id,
                "username": one.username,
                "name": one.name,
                "is_active": one.is_active,
            }
            for one in found.students[asked.after : end]
        ],
        "total": len(found.students),
        "is_guess": found.is_guess,
        "next": end if end < len(found.students) else None,
    }


def student_profile(call: Call, asked: arguments.OfStudent) -> Document:
    """Show how a student stands: streaks, average, percentile, exams and videos with evidence; courses; subjects."""
    found = profiles.profile(call.transaction, call.principal, asked.student_id, call.settings, call.now)
    return profile_document(replace(found, student=call.shown(found.student)))


def student_performance(call: Call, asked: arguments.Performance) -> Document:
    """Show what a student's exams came to: a page of them, newest first, results by subject, and what is advised."""
    document = performance_page(call.transaction, call.caller, asked.student_id, asked.limit, asked.after)
    return {**document, "student_info": student_as_seen(document["student_info"], call.caller)}


def learning_patterns(call: Call, asked: arguments.OfStudent) -> Document:
    """Show how far a student is in each course, when and how they learn, and at most three recommendations."""
    return patterns.progress(call.transaction, call.principal, asked.student_id, call.settings, call.now).as_json()
