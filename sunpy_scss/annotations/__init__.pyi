from ._read import Annotation as Annotation
from ._read import annotation_table as annotation_table
from ._read import annotation_to_mask as annotation_to_mask
from ._read import geojson_to_mask as geojson_to_mask
from ._read import png_to_mask as png_to_mask
from ._read import read_annotations as read_annotations
