"""A picture or a file that a mentor asks for reaches that mentor alone, through the real bot and its Zulip."""

from __future__ import annotations

import re

from tests.bot_process import BOTH, JANE
from tests.test_bot_process import World, world

__all__ = ["world"]

LINK = re.compile(r"(?:^|\n\n)\[(?P<name>[^\]]+)\]\((?P<uri>/user_uploads/[^)]+)\)(?:\n\n|$)")


@BOTH
def test_a_chart_comes_as_a_link_before_its_text_and_a_file_behind_it(world: World) -> None:
    world.lms.pass_exam(900, JANE)
    with world.bot() as bot:
        chart = bot.ask(world.people.mary, "chart @jane_smith")
        bot.ask(world.people.mary, "@**LMS Bot** export all", to_stream="general", topic="hello")
        bot.wait_for(lambda: world.to_streams)
        refused = bot.ask(world.people.omar, "chart @jane_smith")
    export = world.told(world.people.mary)[1].content
    assert "\n\n📈 **Jane Smith** · average 85% over 1 exam" in chart
    assert export.startswith("📄 4 students · all time · 1 event")
    links = [LINK.search(text) for text in (chart, export)]
    assert [link["name"] for link in links if link] == ["scores-1001.png", "all-students_all-time.csv"]
    assert [link["uri"] for link in links if link] == [uri for uri, _ in world.zulip.uploads]
    picture, table = (content for _, content in world.zulip.uploads)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert table.decode("utf-8-sig").splitlines()[1].startswith("20")
    assert "jane_smith,exam_passed" in table.decode()
    assert "You have no student" in refused
    assert [message.content for message in world.to_streams] == ["I answered you in private."]
