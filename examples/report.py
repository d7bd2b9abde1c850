"""
==================
A day on one page
==================

A report holds pictures, tables, agreement and provenance in one HTML file that any
browser opens, without a network.
"""

# sphinx_gallery_thumbnail_path = "images/demo.png"
import tempfile
from pathlib import Path

from sunpy_scss import segment_active_regions, segment_coronal_holes
from sunpy_scss.images import example_map
from sunpy_scss.report import write_report
from sunpy_scss.segment import threshold_coronal_holes

###############################################################################
# The two real images that come with sunpy stand for the images of a day. For one of
# them there is a second method, a threshold.

corona, loops = example_map(193), example_map(171)
holes = segment_coronal_holes(corona)
by_threshold = threshold_coronal_holes(corona)
active_regions = segment_active_regions(loops)

###############################################################################
# Each image gets its masks: one, or a list of any features and methods. This is the
# page:

page = write_report(
    [loops, corona],
    [active_regions, [holes, by_threshold]],
    Path(tempfile.mkdtemp()) / "report.html",
    title="Two images that come with sunpy",
)
