"""Looks whether students, mentors and the links between them fit together; counts, and names nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from lms_bot.core.people import Mentor, folded_email
from lms_bot.core.reports.findings import Finding, failed, ok, warning
from lms_bot.lms.conformance.installation import Installation
from lms_bot.lms.people import People, read_people

_WHAT = "schema people"


def check(installation: Installation, now: datetime) -> Iterator[Finding]:
    """Say what is odd about people and links."""
    people = read_people(installation.engine, installation.schema.people, installation.files, now)
    counts = f"{len(people.students)} students, {len(people.mentors)} mentors, {len(people.links)} links"
    if people.links:
        yield ok(_WHAT, counts)
    else:
        yield failed(_WHAT, counts, "nobody will be told: no mentor has a student; see lms_mentors and the links")
    yield from _doubled(people)
    yield from _linked(people)
    yield from _addresses(people.mentors)


def _doubled(people: People) -> Iterator[Finding]:
    advice = "let the query give everybody once, as with DISTINCT or EXISTS in place of a join"
    students = _repeated(student.student_id for student in people.students)
    mentors = _repeated(mentor.mentor_id for mentor in people.mentors)
    for kind, times in (("students", students), ("mentors", mentors)):
        if times:
            yield failed(_WHAT, f"{times} ids are read for several {kind}", advice)


def _linked(people: People) -> Iterator[Finding]:
    students = {student.student_id for student in people.students}
    mentors = {mentor.mentor_id for mentor in people.mentors}
    for kind, known, place in (("mentor", mentors, 0), ("student", students, 1)):
        if strange := sum(link[place] not in known for link in people.links):
            advice = f"see whether the query of {kind}s leaves out somebody, and whether links name a {kind} by its id"
            message = f"{strange} of {len(people.links)} links have a {kind} who is not read"
            yield (failed if strange == len(people.links) else warning)(_WHAT, message, advice)
    linked = {student for _, student in people.links}
    active = [student for student in people.students if student.is_active]
    if people.links and (alone := sum(student.student_id not in linked for student in active)):
        advice = "what they do is told to nobody until somebody is their mentor"
        yield warning(_WHAT, f"{alone} of {len(active)} active students have no mentor", advice)


def _addresses(mentors: Iterable[Mentor]) -> Iterator[Finding]:
    addresses = [folded_email(mentor.email or "") for mentor in mentors]
    if nowhere := addresses.count(""):
        advice = "they are found in Zulip by their address: let the query read it, or map them by hand"
        yield warning(_WHAT, f"{nowhere} of {len(addresses)} mentors have no e-mail address", advice)
    if shared := _repeated(address for address in addresses if address):
        advice = "an address of several mentors is nobody's: give each their own in the LMS, or map them by hand"
        yield warning(_WHAT, f"{shared} e-mail addresses belong to several mentors", advice)


def _repeated(values: Iterable[int | str]) -> int:
    return sum(times > 1 for times in Counter(values).values())
