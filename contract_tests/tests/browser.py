"""Debian's chromium without a window, spoken to over a pipe: a real browser is asked what a page does.

`apt-get install chromium` brings it. Nothing else is needed: the protocol is JSON between zero bytes.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

# Whether a run that finds no browser fails: in CI it is installed.
REQUIRED = os.environ.get("CI") == "true"
MISSING = "no chromium: install it with `apt-get install -y chromium`"
# Milliseconds after which a page hangs: only hangs are limited.
HANGS = 60_000
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--remote-debugging-pipe", "about:blank",
)  # fmt: skip


def found() -> str | None:
    """The browser's path."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One browser with one page. Closing it ends its process and takes its folder away."""

    def __init__(self, program: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        self._numbers = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        to_browser, from_us = os.pipe()
        from_browser, to_us = os.pipe()

        def begin() -> None:
            # The browser reads from 3 and writes to 4; the tests that open one have no other thread.
            os.dup2(to_browser, 13)
            os.dup2(to_us, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)

        self._process = subprocess.Popen(
            [program, *ARGUMENTS, f"--user-data-dir={self._folder.name}"],
            preexec_fn=begin,  # noqa: PLW1509
            close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(to_us)
        self._send, self._receive, self._read = from_us, from_browser, bytearray()
        (page,) = (each for each in self._call("Target.getTargets")["targetInfos"] if each["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **arguments: Any) -> Any:
        """One command to the page. Raises AssertionError for what it refuses."""
        return self._call(method, session=self._session, **arguments)

    def open(self, page: Path, place: str = "") -> None:
        """Open a file, and wait until its script has run."""
        self._events.clear()
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=f"{page.as_uri()}{place}")
        self.wait("document.body && document.body.dataset.ready === 'yes'")

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a condition holds in the page: the page itself looks at each frame."""
        told = self.ask(
            f"new Promise((done) => {{ const end = Date.now() + {HANGS}; const look = () => {{ let holds = false;"
            f" try {{ holds = {condition}; }} catch {{ /* not yet */ }} if (holds || Date.now() > end) done(!!holds);"
            " else setTimeout(look, 10); }; look(); })"
        )
        assert told, f"this never held: {condition}"

    def press(self, key: str, text: str = "") -> None:
        """Press a key, and let it go."""
        named: dict[str, Any] = {"key": key, "text": text or (key if len(key) == 1 else "")}
        if key == "Enter":
            named |= {"text": "\r", "windowsVirtualKeyCode": 13}
        if key == "Tab":
            named |= {"windowsVirtualKeyCode": 9}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def resize(self, width: int, height: int, *, phone: bool = False, scheme: str = "light") -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def asked_for(self) -> list[str]:
        """The addresses that were asked for since the page was opened."""
        return [
            each["params"]["request"]["url"] for each in self._events if each["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """What the page's scripts threw since it was opened."""
        return [str(each["params"]) for each in self._events if each["method"] == "Runtime.exceptionThrown"]

    def close(self) -> None:
        self._call("Browser.close")
        self._process.wait(30)
        os.close(self._send)
        os.close(self._receive)
        self._folder.cleanup()

    def _call(self, method: str, *, session: str | None = None, **arguments: Any) -> Any:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": arguments}
        if session is not None:
            message["sessionId"] = session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while (told := self._next()).get("id") != number:
            self._events.append(told)
        assert "error" not in told, (method, told)
        return told["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            part = os.read(self._receive, 1 << 16)
            assert part, "the browser has ended"
            self._read += part
        told, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(told)
        return message


# The least ratio of luminance between an element's own text and the nearest ground that is not transparent.
CONTRAST = """
(() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parts(color).map((part) => {
      part /= 255;
      return part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
    });
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (parts(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  let least = 21;
  for (const each of document.querySelectorAll("body *")) {
    const written = [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!written || !each.offsetParent) continue;
    const [one, other] = [light(getComputedStyle(each).color), light(ground(each))].sort();
    least = Math.min(least, (Math.max(one, other) + .05) / (Math.min(one, other) + .05));
  }
  return least;
})()
"""
