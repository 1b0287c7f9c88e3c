"""A page in a browser, and what goes wrong in it."""

from pathlib import Path
from typing import Any

import pytest


class Opened:
    """A page opened from a file, in a context of its own; whatever goes wrong in it is noted."""

    def __init__(self, browser: Any, path: Path, *, width: int = 1280, fragment: str = "") -> None:
        self.page = browser.new_context(viewport={"width": width, "height": 800}, offline=True).new_page()
        self.url = path.as_uri()
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(self.url + fragment)

    def names(self) -> list[str]:
        return self.page.locator("#rows .name a").all_inner_texts()

    def column(self, name: str) -> list[str]:
        return self.page.locator(f"#rows td.{name}").all_inner_texts()

    def shown(self) -> str:
        """Name of the query in the viewer."""
        return self.page.locator("#viewer h3").inner_text()

    def fragment(self) -> str:
        return self.page.evaluate("location.hash")

    def wait_until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true (the page's policy forbids the browser's own way of waiting)."""
        for _ in range(200):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(25)
        pytest.fail(f"never true: {expression}")

    def load_all_images(self) -> None:
        """Load what would be loaded once it is scrolled to."""
        self.page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
        self.wait_until("[...document.images].every((image) => !image.getAttribute('src') || image.complete)")

    def focused(self) -> str:
        return self.page.evaluate("document.activeElement.textContent")
