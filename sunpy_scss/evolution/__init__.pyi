from ._carrington import carrington_coverage as carrington_coverage
from ._carrington import carrington_map as carrington_map
from ._carrington import central_meridian_fraction as central_meridian_fraction
from ._tracks import Tracks as Tracks
from ._tracks import total_series as total_series
from ._tracks import track_regions as track_regions
from ._tracks import track_series as track_series
