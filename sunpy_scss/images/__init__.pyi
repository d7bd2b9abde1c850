from ._browse import from_browse as from_browse
from ._read import example_map as example_map
from ._read import read_map as read_map
from ._search import fetch as fetch
from ._search import search_aia as search_aia
