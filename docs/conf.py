"""
Configuration of the documentation.

Set ``SUNPY_SCSS_DOCS_OFFLINE=1`` to build without a network: links to the documentation of other
packages are then left out, and only references inside this package are checked.
"""

import builtins
import os
import sys
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

from packaging.version import Version
from sunpy_sphinx_theme import PNG_ICON

OFFLINE = os.environ.get("SUNPY_SCSS_DOCS_OFFLINE", "0") not in ("", "0")
HERE = Path(__file__).parent

# For model_cards, which renders the cards of the models, and shown_files.
sys.path.insert(0, str(HERE))

import shown_files  # noqa: E402

# No progress bars in the gallery's captured output.
os.environ["PARFIVE_HIDE_PROGRESS"] = "True"
os.environ["TQDM_DISABLE"] = "1"
# TensorFlow reports its build on stderr at import, which says nothing to a reader.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

project = "sunpy_scss"
author = "The sunpy_scss developers"
copyright = f"{datetime.now(UTC).year}, {author}"
release = installed_version("sunpy_scss")
version = Version(release).base_version

extensions = [
    "model_cards",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_automodapi.automodapi",
    "sphinx_automodapi.smart_resolver",
    "sphinx_changelog",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxarg.ext",
]
if not OFFLINE:
    extensions.append("sphinx.ext.intersphinx")

exclude_patterns = ["_build", "Thumbs.db", ".DS_Store"]
# Text in single backticks is a reference to a Python object.
default_role = "obj"
napoleon_google_docstring = False
napoleon_use_rtype = False
# An "Attributes" section of a dataclass would otherwise describe again what automodapi lists.
napoleon_use_ivar = True
# Without this, references to warnings are shown as they are typed.
napoleon_custom_sections = [("Warns", "returns_style")]
automodapi_inheritance_diagram = False
# Types are in the docstrings, with more to say than a hint has.
autodoc_typehints = "none"
# A prompt is shown, but not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
# The second line of a command has no prompt of its own.
copybutton_line_continuation_character = "\\"

# -- References ----------------------------------------------------------------

intersphinx_mapping = {
    "python": ("https://docs.python.org/3/", None),
    "numpy": ("https://numpy.org/doc/stable/", None),
    "scipy": ("https://docs.scipy.org/doc/scipy/", None),
    "matplotlib": ("https://matplotlib.org/stable/", None),
    "astropy": ("https://docs.astropy.org/en/stable/", None),
    "distributed": ("https://distributed.dask.org/en/stable/", None),
    "sunpy": ("https://docs.sunpy.org/en/stable/", None),
    "reproject": ("https://reproject.readthedocs.io/en/stable/", None),
    "skimage": ("https://scikit-image.org/docs/stable/", None),
}

nitpicky = True
# Words that describe a type in a docstring and name no object: "type target" on each line.
nitpick_ignore = [
    tuple(line.split(None, 1))
    for line in (HERE / "nitpick-exceptions.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
# Neither has an inventory for intersphinx.
nitpick_ignore_regex = [(r"py:.*", r"(keras|tensorflow)(\..*)?")]
if OFFLINE:
    others = (
        r"astropy|collections|distributed|h5py|logging|matplotlib|np|numpy|os|pandas|pathlib|PIL|plt|reproject|"
        r"scipy|skimage|sunpy|tensorflow|tqdm|typing|u"
    )
    nitpick_ignore_regex += [
        (r"py:.*", rf"({others})(\..*)?"),
        (r"py:.*", "|".join(dir(builtins))),
    ]

# -- HTML ----------------------------------------------------------------------

html_theme = "sunpy"
# The full version of a development build is too long for the side bar.
html_title = f"{project} {version}"
html_static_path = ["_static"]
html_css_files = ["shown.css"]
# What examples have written: it is there when the examples have run, not yet when this file is read.
shown_files.FOLDER.mkdir(parents=True, exist_ok=True)
html_extra_path = [str(shown_files.FOLDER)]
html_theme_options = {
    # The theme would count visitors for the SunPy project.
    "goatcounter_analytics_url": False,
    "rtd_search": False,
}

# -- Gallery -------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": str(HERE / "generated" / "gallery"),
    "backreferences_dir": str(HERE / "generated" / "modules"),
    "doc_module": ("sunpy_scss",),
    # Every example runs, unless its name begins with skip_ because it needs the network.
    "filename_pattern": r"^((?!skip_).)*$",
    "default_thumb_file": PNG_ICON,
    "within_subsection_order": "gallery_order.ReadingOrder",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "plot_gallery": "True",
    "image_scrapers": ("matplotlib", "shown_files.show_files"),
    # The last value of a block is of no interest: figures are shown, results are printed.
    "capture_repr": (),
}
