"""The OpenAPI description is complete and honest: whatever it allows is answered as it says, by the real process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.databases import store_in_file
from tests.web_process import JANE, MARY, people_the_store, record, serving, study

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import schemathesis
    from schemathesis.checks import CHECKS, load_all_checks

from lms_bot.store.session import open_store
from tests.web_process import make_token

load_all_checks()
ENDLESS = {"/api/v1/activity/stream"}
EXAMPLES = 25


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    folder = tmp_path_factory.mktemp("contract")
    url = store_in_file(folder / "store.db")
    store = open_store(url)
    people_the_store(store)
    record(store, JANE, 50)
    study(store, JANE)
    token = make_token(store, "everything")
    store.close()
    with serving(url, folder) as web:
        yield schemathesis.openapi.from_url(f"{web.url}/api/v1/openapi.json"), token


PATHS = [
    ("POST", "/api/activity/update/"),
    ("POST", "/api/lessons/{lesson_id}/progress/"),
    ("POST", "/api/lessons/{lesson_id}/complete/"),
    ("GET", "/api/v1/activity/"),
    ("GET", "/api/v1/events/unprocessed"),
    ("GET", "/api/v1/lms/students/{student_id}/profile/"),
    ("GET", "/api/v1/lms/students/{student_id}/performance/"),
    ("GET", "/api/v1/lms/mentors/{mentor_id}/students/"),
    ("POST", "/api/v1/events/processed"),
    ("POST", "/api/v1/lms/sync/students/"),
    ("POST", "/api/v1/signals"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
]


def test_every_path_is_tried(described: tuple[Any, str]) -> None:
    schema, _ = described
    paths = {(method.upper(), path) for path, of_path in schema.raw_schema["paths"].items() for method in of_path}
    assert paths == {*PATHS, *(("GET", path) for path in ENDLESS)}


ABOUT = [(path, {"student_id": JANE}) for _, path in PATHS if "{student_id}" in path]
ABOUT += [(path, {"mentor_id": MARY}) for _, path in PATHS if "{mentor_id}" in path]


@pytest.mark.parametrize(("path", "who"), ABOUT)
def test_people_whom_it_knows_are_answered_as_described(
    described: tuple[Any, str], path: str, who: dict[str, int]
) -> None:
    schema, token = described
    case = schema[path]["GET"].Case(path_parameters=who, query={"limit": 1} if "profile" not in path else {})
    answer = case.call(headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    case.validate_response(answer)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_path_does_what_its_description_says(described: tuple[Any, str], method: str, path: str) -> None:
    schema, token = described
    operation = schema[path][method]

    @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None)
    @hypothesis.given(case=operation.as_strategy() | operation.as_strategy(schemathesis.GenerationMode.NEGATIVE))
    def try_it(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS.get_all())

    try_it()
