"""A browser without a window, spoken to through a pipe: Chromium's DevTools protocol, no more."""

import contextlib
import json
import os
import select
import shutil
import subprocess

PATIENCE_S = 30
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-extensions", "--no-first-run", "--remote-debugging-pipe"),
)


def find_browser():
    """The path of a browser of this family, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab; what it reports between two commands is kept in `events`."""

    def __init__(self, program, profile):
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # The protocol is spoken on descriptors 3 and 4: the shell puts the pipes there.
        script = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        flags = [*FLAGS, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            ["bash", "-c", script, program, *flags],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._count, self._session, self._rest, self.events = 0, None, b"", []
        tab = self("Target.createTarget", url="about:blank")["targetId"]
        attached = self("Target.attachToTarget", targetId=tab, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def __call__(self, method, **params):
        """Send a command, and return its answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._count:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _next(self):
        while b"\0" not in self._rest:
            is_ready, _, _ = select.select([self._in], [], [], PATIENCE_S)
            part = os.read(self._in, 1 << 16) if is_ready else b""
            if not part:
                raise RuntimeError("the browser has ended, or says nothing")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def look_at(self, address, *, width, height=900, scheme="light"):
        """Load a page at a width, in a colour scheme, and forget earlier events."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self("Emulation.setEmulatedMedia", features=features)
        self.events.clear()
        self("Page.navigate", url=address)
        while not self.told("Page.loadEventFired"):
            self.events.append(self._next())

    def told(self, *methods):
        """What was reported by any of these events since the page was asked for."""
        return [event["params"] for event in self.events if event.get("method") in methods]

    def run(self, script):
        """Return what a script gives in the page."""
        answer = self("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def close(self):
        """End the browser."""
        with contextlib.suppress(OSError, RuntimeError):
            self._session = None
            self("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        os.close(self._in)
        os.close(self._out)
