from ._masks import drawn_events as drawn_events
from ._masks import events_to_regions as events_to_regions
from ._masks import hek_to_mask as hek_to_mask
from ._records import hek_table as hek_table
from ._search import HEKServer as HEKServer
from ._search import search_hek as search_hek
from ._write import hek_records as hek_records
