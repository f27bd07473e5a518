"""The tools: what each is called and asked, what it answers, and which scope it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp_types import Tool as Described
from mcp_types import ToolAnnotations
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from lms_bot.core.web.tokens import Scope, Token
from lms_bot.web.api import academic_shapes
from lms_bot.web.mcp import activity, arguments, definitions, mentor_shapes, mentors, student_shapes, students
from lms_bot.web.mcp.calls import Call, Document

ABOUT_STUDENTS = (Scope.PROFILE, Scope.PERFORMANCE, Scope.MENTORS, Scope.ACTIVITY)


class _Schema(GenerateJsonSchema):
    """A schema without titles, which would only repeat the names of fields: agents read all of it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that reads; a token needs any of `scopes`, and where there are none it need only be a token."""

    function: Callable[[Call, Any], Document]
    arguments: type[BaseModel]
    result: type[BaseModel]
    scopes: tuple[Scope, ...]

    @property
    def name(self) -> str:
        return self.function.__name__

    def is_for(self, token: Token) -> bool:
        """Return whether a token may call it."""
        return not self.scopes or not token.scopes.isdisjoint(self.scopes)

    def described(self) -> Described:
        """Return what an agent is told of it."""
        return Described(
            name=self.name,
            title=self.name.replace("_", " ").capitalize(),
            description=" ".join((self.function.__doc__ or "").split()),
            input_schema=self.arguments.model_json_schema(schema_generator=_Schema),
            output_schema=self.result.model_json_schema(schema_generator=_Schema, mode="serialization"),
            annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
        )


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(students.find_students, arguments.FindStudents, student_shapes.FoundStudents, ABOUT_STUDENTS),
        Tool(students.student_profile, arguments.OfStudent, academic_shapes.Profile, (Scope.PROFILE,)),
        Tool(
            students.student_performance,
            arguments.Performance,
            academic_shapes.Performance,
            (Scope.PERFORMANCE,),
        ),
        Tool(students.learning_patterns, arguments.OfStudent, student_shapes.StudentProgress, (Scope.PERFORMANCE,)),
        Tool(mentors.mentor_overview, arguments.OfMentor, mentor_shapes.MentorOverview, (Scope.MENTORS,)),
        Tool(mentors.open_alerts, arguments.OfMentor, mentor_shapes.OpenAlerts, (Scope.MENTORS,)),
        Tool(activity.recent_activity, arguments.RecentActivity, activity.Activity, (Scope.ACTIVITY,)),
        Tool(definitions.definitions, arguments.Definitions, definitions.DefinitionsFound, ()),
    )
}
