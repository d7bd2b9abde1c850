"""Figures: what is known of an image, drawn over it, and what a model is worth."""

from sunpy_scss._plot_evolution import carrington_chart, movie, track_chart, track_overlay
from sunpy_scss._plot_maps import cases, comparison, disagreement, labelled_regions, overlay, probability
from sunpy_scss._plot_scores import evaluation_page, scores_over_time, training_history

__all__ = [
    "carrington_chart",
    "cases",
    "comparison",
    "disagreement",
    "evaluation_page",
    "labelled_regions",
    "movie",
    "overlay",
    "probability",
    "scores_over_time",
    "track_chart",
    "track_overlay",
    "training_history",
]
