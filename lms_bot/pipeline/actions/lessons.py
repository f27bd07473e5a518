"""What students' own pages tell us: that they were there, how far they watched a lesson, and that it is complete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lms_bot.config.settings import Settings
from lms_bot.core.calendar import local_day
from lms_bot.core.events import COURSE, PAGE_REPORTS, PROGRESS, PROGRESS_STEPS, Event, EventType
from lms_bot.core.web.watching import WATCHED_ENOUGH, Report
from lms_bot.errors import NotFound
from lms_bot.lms.pages import with_pages
from lms_bot.pipeline import surge
from lms_bot.pipeline.enqueue import Enqueuer
from lms_bot.store.academics import outdated
from lms_bot.store.alerts import watchlist
from lms_bot.store.events import events
from lms_bot.store.events import page_reports as lms_rows
from lms_bot.store.people import people
from lms_bot.store.people.zones import zones_of
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import days
from lms_bot.store.web import page_reports
from lms_bot.store.web.page_reports import Lesson, PageReport

QUIZ_FIRST = "You must pass the lesson quiz before completing this lesson."


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a student has come in a lesson; `percentage` is of its video."""

    percentage: float
    is_complete: bool


class QuizRequired(Exception):
    """A lesson cannot be complete before its quiz is passed, which is at `url`, where that is known."""

    def __init__(self, url: str | None) -> None:
        super().__init__(QUIZ_FIRST)
        self.url = url


@dataclass(frozen=True, slots=True)
class Reporting:
    """A student whose page reports, in one transaction that writes."""

    transaction: Transaction
    student_id: int
    settings: Settings
    now: datetime

    @property
    def day(self) -> date:
        """Return the student's local day."""
        zone = zones_of(self.transaction, [self.student_id]).get(self.student_id, self.settings.timezone)
        return local_day(self.now, zone)

    def be_present(self) -> None:
        """Note that the student was there today. Raises NotFound for one whom the LMS no longer has."""
        self._hold()
        days.lock(self.transaction)
        days.note_presence(self.transaction, [(self.student_id, self.day)], self.now)

    def watch(self, lesson_id: int, reported: Report) -> Progress:
        """Keep what a page reports of a lesson's video, and record what that comes to. Raises NotFound."""
        self._hold()
        lesson = self._lesson(lesson_id)
        report = page_reports.take(self.transaction, self.student_id, lesson_id, self.now)
        before, after = report.watching, report.watching.after(reported, self.now)
        report = report._replace(watching=after)
        page_reports.keep(self.transaction, report, self.now)
        if kinds := _reached(before.percentage, after.percentage):
            self._record([self._event(kind, lesson, report, step) for kind, step in kinds])
        is_watched = after.percentage >= WATCHED_ENOUGH and self._lacks_quiz(lesson) is None
        return Progress(after.percentage, report.completed_at is not None or is_watched)

    def complete(self, lesson_id: int) -> None:
        """Mark a lesson as complete. Raises NotFound, and QuizRequired."""
        self._hold()
        lesson = self._lesson(lesson_id)
        if quiz := self._lacks_quiz(lesson):
            (shown,) = with_pages([quiz], self.settings)
            raise QuizRequired(shown.url)
        report = page_reports.take(self.transaction, self.student_id, lesson_id, self.now)
        if report.completed_at is None:
            report = report._replace(completed_at=self.now)
            page_reports.keep(self.transaction, report, self.now)
            self._record([self._event(EventType.CONTENT_COMPLETED, lesson, report)])

    def _hold(self) -> None:
        if not page_reports.hold_student(self.transaction, self.student_id):
            raise NotFound

    def _lesson(self, lesson_id: int) -> Lesson:
        lesson = page_reports.lesson(self.transaction, lesson_id)
        if lesson is None:
            raise NotFound
        return lesson

    def _lacks_quiz(self, lesson: Lesson) -> Event | None:
        """Return the quiz that the student must pass first, as an event about it; None where there is none."""
        source, quiz_id = lesson.quiz_source, lesson.quiz_id
        if source is None or quiz_id is None:
            return None
        if page_reports.is_passed(self.transaction, self.student_id, source, quiz_id):
            return None
        quiz = self._event(EventType.EXAM_STARTED, lesson, None)
        return quiz._replace(source_table=source, activity_id=quiz_id)

    def _event(self, kind: EventType, lesson: Lesson, report: PageReport | None, step: int | None = None) -> Event:
        metadata: dict[str, object] = {COURSE: lesson.course_title}
        if report is not None and (report.watching.is_measured or report.watching.reported):
            metadata |= {"content_type": "video", "basis": "watched" if report.watching.is_measured else "reported"}
        if step is not None:
            metadata[PROGRESS] = PROGRESS_STEPS[step]
        return Event(
            event_type=kind,
            source_table=PAGE_REPORTS,
            source_id=report.report_id if report else 0,
            student_id=self.student_id,
            student_username=None,
            activity_id=lesson.lesson_id,
            activity_title=lesson.title,
            metadata=metadata,
            timestamp=self.now,
            is_history=False,
            fingerprint=0,
            mirrors=None,
            episode=step or 0,
        )

    def _record(self, found: list[Event]) -> None:
        """Record what is new of a report's events, the last of them current; enqueue what nobody was told yet."""
        are_counted = days.lock(self.transaction) is not None
        new, outdated_ids = lms_rows.new_among(self.transaction, found)
        if not new:
            return
        around = people.mentoring_of(self.transaction, [self.student_id])
        inserted = events.record(self.transaction, new, around, self.now)
        passed = [event_id for event_id, event in inserted[:-1] if event.event_type == EventType.CONTENT_PROGRESS]
        events.supersede(self.transaction, [*outdated_ids, *passed])
        if are_counted:
            days.count(self.transaction, inserted, [], self.settings.timezone, self.now, set())
            outdated.mark(self.transaction, [(self.student_id, self.now)])
        watchlist.mark_due(self.transaction, {self.student_id}, self.now)
        until = surge.surge_ends_at(self.transaction, self.now)
        Enqueuer(self.settings, self.now, not_before=until).enqueue(self.transaction, inserted, around)


def _reached(before: float, after: float) -> list[tuple[EventType, int | None]]:
    """Return what a higher percentage comes to: of several steps of progress only the last."""
    steps = [place for place, step in enumerate(PROGRESS_STEPS) if before < step <= after]
    found: list[tuple[EventType, int | None]] = [(EventType.CONTENT_PROGRESS, one) for one in steps[-1:]]
    if before < WATCHED_ENOUGH <= after:
        found.append((EventType.CONTENT_WATCHED, None))
    return found
