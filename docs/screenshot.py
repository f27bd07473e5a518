"""Makes docs/overview.png from `lms-bot demo --web`, in Debian's Chromium: `make screenshots`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1280, "height": 1080}
LIVED = re.compile(r"[6-9]|\d\d")  # events that are waited for, so that there is something to see


def main() -> None:
    command = [Path(sys.executable).parent / "lms-bot", "demo", "--web"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONUNBUFFERED": "1"})  # noqa: S603
    assert demo.stdout is not None
    try:
        link = next(found[0] for line in demo.stdout if (found := re.search(r"http://\S+/enter/\S+", line)))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
            page.goto(link)
            page.get_by_role("button", name="Sign in").click()
            expect(page.locator("[data-count]")).to_have_text(LIVED, timeout=120_000)
            page.get_by_text("Show them").click()
            page.wait_for_load_state()
            page.screenshot(path=Path(__file__).with_name("overview.png"))
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait()


if __name__ == "__main__":
    main()
