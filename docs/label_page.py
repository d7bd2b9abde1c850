"""
Draw ``images/label.png``: the page of `sunpy_scss.label`, in a real browser, with the example image of sunpy.

Needs Chromium and its driver (Debian: ``apt-get install chromium chromium-driver``) and the extra ``tests``::

    python docs/label_page.py
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium.webdriver.common.keys import Keys

from sunpy_scss.images import example_map
from sunpy_scss.label import label_images

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "label"))
from browser import Tab, chromium, running  # noqa: E402

# In pixels of the example image, from its lower left corner.
LEFT_HOLE, RIGHT_HOLE, CHANNEL = (160, 225), (320, 290), (222, 195)


def draw(driver, folder):
    """Accept a hole, draw a filament channel and reject it, and let another outline of the second hole grow."""
    image = folder / "aia_193.fits"
    example_map(193).save(image)

    def serve(notify):
        label_images([image], folder / "labels", annotator="Ada", notify=notify)

    with running(serve) as (address, _):
        tab = Tab(driver, address)
        tab.says("legend", "open")
        tab.point(LEFT_HOLE)
        tab.press("a", "g")
        tab.says("legend", "1 accepted")
        tab.click(CHANNEL)
        tab.says("message", "Enter adds the region")
        tab.press(Keys.ENTER)
        tab.says("legend", "2 accepted")
        tab.point(CHANNEL)
        tab.press("r")
        tab.says("legend", "1 rejected")
        tab.click(RIGHT_HOLE)
        tab.says("message", "Enter adds the region")
        driver.save_screenshot(str(folder / "page.png"))


if __name__ == "__main__":
    with chromium() as driver, tempfile.TemporaryDirectory() as folder:
        driver.set_window_size(1280, 1010)
        draw(driver, Path(folder))
        Image.open(Path(folder, "page.png")).convert("P", palette=Image.Palette.ADAPTIVE).save(
            HERE / "images" / "label.png", optimize=True
        )
