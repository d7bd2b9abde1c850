"""A tab of a real browser that shows the page of labels."""

import shutil
import tempfile
import threading
import time
from contextlib import contextmanager

import pytest

PATIENCE = 60  # seconds, on a machine that does other things too
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1000,800"),
)
_MODEL = "return Bokeh.documents[0].get_model_by_name(arguments[0])"


@contextmanager
def chromium():
    """A headless Chromium; the test is skipped with the reason where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    programs = [shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")]
    if None in programs:
        pytest.skip("chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(programs[1]))
        try:
            yield driver
        finally:
            driver.quit()


@contextmanager
def running(serve):
    """
    A server in a thread: ``serve`` takes a function that it calls with the address of the page.

    Yields the address and a function that ends the server as Ctrl+C does; returns when it has ended.
    """
    from tornado.ioloop import IOLoop

    started, found = threading.Event(), {}

    def notify(address):
        found.update(address=address, loop=IOLoop.current())
        started.set()

    def run():
        try:
            found["returned"] = serve(notify)
        except KeyboardInterrupt:
            pass
        except BaseException as error:
            found["error"] = error
        finally:
            started.set()

    def interrupt():
        raise KeyboardInterrupt

    def stop():
        if thread.is_alive():
            found["loop"].add_callback(interrupt)
            thread.join(PATIENCE)
        return found.get("returned")

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(PATIENCE)
    if "error" in found:
        raise found["error"]
    try:
        yield found["address"], stop
    finally:
        stop()


class Tab:
    """What a user sees and does; positions are (x, y) in pixels of the image, y upwards."""

    def __init__(self, driver, address):
        self.driver = driver
        driver.get("about:blank")
        driver.get_log("browser")  # what an earlier page complained of
        driver.get(address)
        self.until(lambda: driver.execute_script("return document.body.dataset.ready"))

    def until(self, true):
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, f"in vain: {self.text('message')!r}, {self.text('legend')!r}"
            time.sleep(0.03)

    def get(self, name, attribute):
        return self.driver.execute_script(f"{_MODEL}.{attribute}", name)

    def text(self, name):
        script = f"const at = document.createElement('p'); at.innerHTML = ({_MODEL[7:]}).text; return at.textContent"
        return self.driver.execute_script(script, name)

    def says(self, name, *parts):
        self.until(lambda: all(part in self.text(name) for part in parts))

    def counts(self, accepted, opened, rejected):
        self.says("legend", f"{accepted} accepted", f"{opened} open", f"{rejected} rejected")

    def place(self, x, y):
        script = (
            "const {x_range, y_range} = Bokeh.documents[0].get_model_by_name('picture');"
            "const box = document.querySelector('.picture').getBoundingClientRect();"
            "return [box.left + box.width * (arguments[0] - x_range.start) / (x_range.end - x_range.start),"
            "box.bottom - box.height * (arguments[1] - y_range.start) / (y_range.end - y_range.start)]"
        )
        return map(round, self.driver.execute_script(script, x, y))

    def _mouse(self, duration=0):
        from selenium.webdriver import ActionChains

        chain = ActionChains(self.driver, duration=duration)
        return chain, chain.w3c_actions.pointer_action

    def point(self, position):
        chain, mouse = self._mouse()
        mouse.move_to_location(*self.place(*position))
        chain.perform()

    def click(self, *positions):
        chain, mouse = self._mouse()
        for position in positions:
            mouse.move_to_location(*self.place(*position))
            mouse.click()
        chain.perform()

    def drag(self, first, *others):
        chain, mouse = self._mouse(20)
        mouse.move_to_location(*self.place(*first))
        mouse.pointer_down()
        for position in others:
            mouse.move_to_location(*self.place(*position))
        mouse.pointer_up()
        chain.perform()

    def wheel(self, position, by):
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

        self.point(position)
        x, y = self.place(*position)
        ActionChains(self.driver).scroll_from_origin(ScrollOrigin.from_viewport(x, y), 0, by).perform()

    def press(self, *keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
