from ._classical import three_channel_coronal_holes as three_channel_coronal_holes
from ._classical import threshold_coronal_holes as threshold_coronal_holes
from ._predict import predict_probability as predict_probability
from ._predict import predict_spread as predict_spread
from ._predict import segment_active_regions as segment_active_regions
from ._predict import segment_coronal_holes as segment_coronal_holes
from ._predict import segment_feature as segment_feature
