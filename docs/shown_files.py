"""
Shows the movies and HTML pages that an example of the gallery writes, beside its figures.

A scraper of sphinx-gallery: where a block of code leaves a path to a new GIF or HTML file in a variable, the file is
copied into the documentation and shown below the block.
"""

import shutil
from pathlib import Path

# Copied to the root of the built documentation.
FOLDER = Path(__file__).parent / "generated" / "shown"

_MOVIE = """
.. raw:: html

    <img class="shown-movie" src="../../{name}" alt="{alt}">
"""
_PAGE = """
.. raw:: html

    <iframe class="shown-page" src="../../{name}" title="{alt}" loading="lazy"></iframe>
    <p><a href="../../{name}">Open this page by itself</a></p>
"""
_TEMPLATES = {".gif": _MOVIE, ".html": _PAGE}


def show_files(block, block_vars, gallery_conf):
    """The reStructuredText that shows the files of a block."""
    example = Path(block_vars["src_file"]).stem
    shown = block_vars["example_globals"].setdefault("__shown__", set())
    text = ""
    for path in list(block_vars["example_globals"].values()):
        if isinstance(path, Path) and path.suffix in _TEMPLATES and path.exists() and path not in shown:
            shown.add(path)
            FOLDER.mkdir(parents=True, exist_ok=True)
            name = f"{example}_{path.name}"
            shutil.copyfile(path, FOLDER / name)
            text += _TEMPLATES[path.suffix].format(name=name, alt=f"what the example {example} has written")
    return text
