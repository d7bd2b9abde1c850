from ._inputs import find_images as find_images
from ._options import BatchOptions as BatchOptions
from ._outcome import Outcome as Outcome
from ._segment import segment_files as segment_files
from ._store import mask_at as mask_at
