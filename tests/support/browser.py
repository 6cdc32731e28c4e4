"""A headless Chromium that a test can steer: open a page, wait for words, click, take a picture."""

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager

from websockets.sync.client import connect

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-port=0", "--hide-scrollbars", "--window-size=1500,1000"),
)
PATIENCE = 90.0


def chromium():
    """Path of the browser, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """One page of a running browser."""

    def __init__(self, socket):
        self._socket = socket
        self._last = 0

    def call(self, method, **params):
        """Ask the browser for something and return its answer."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE))
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise AssertionError(answer["error"])
                return answer["result"]

    def value(self, expression):
        """Value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def text(self):
        """Everything the page says."""
        return self.value("document.body ? document.body.innerText : ''") or ""

    def wait(self, expression):
        """Wait until an expression in the page holds."""
        deadline = time.monotonic() + PATIENCE
        while not self.value(expression):
            assert time.monotonic() < deadline, f"{expression} never held:\n{self.text()}"
            time.sleep(0.2)

    def open(self, address, *words):
        """Open a page and wait until it says all of the words."""
        self.call("Page.navigate", url=address)
        for word in words:
            self.say(word)

    def say(self, word):
        """Wait until the page says a word."""
        self.wait(f"!!document.body && document.body.innerText.includes({json.dumps(word)})")

    def click(self, text):
        """Click the innermost element with exactly this text."""
        found = (
            "[...document.querySelectorAll('*')].filter("
            f"e => e.innerText && e.innerText.trim() === {json.dumps(text)})"
        )
        self.wait(f"{found}.length > 0")
        self.value(f"{found}.at(-1).click()")

    def scroll_until(self, text):
        """Scroll whatever scrolls, a page at a time, until it shows an element with this text."""
        script = (
            "(() => { const shown = [...document.querySelectorAll('*')].some("
            f"e => e.innerText && e.innerText.trim() === {json.dumps(text)}); "
            "if (!shown) for (const e of document.querySelectorAll('*')) "
            "if (e.scrollHeight > e.clientHeight + 50) e.scrollTop += 400; return shown; })()"
        )
        self.wait(script)

    def picture(self, path, *, clip=None):
        """Write what is to be seen, or a part of it, as PNG."""
        time.sleep(1)
        options = {} if clip is None else {"clip": clip}
        answer = self.call("Page.captureScreenshot", format="png", **options)
        path.write_bytes(base64.b64decode(answer["data"]))


def _target(profile, process):
    """Address of the first page, once the browser says where it listens."""
    deadline = time.monotonic() + PATIENCE
    port = profile / "DevToolsActivePort"
    while time.monotonic() < deadline and process.poll() is None:
        if port.is_file() and port.read_text().strip():
            number = port.read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{number}/json/list") as answer:
                pages = [item for item in json.load(answer) if item["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        time.sleep(0.1)
    message = "the browser did not start"
    raise AssertionError(message)


@contextmanager
def browser(profile):
    """Run a browser with an empty profile; hands out its page."""
    command = [chromium(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_target(profile, process), max_size=None, proxy=None) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        process.wait(timeout=30)
