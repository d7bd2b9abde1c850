from ._compare import compare_folders as compare_folders
from ._server import label_images as label_images
