"""Figures: what is known of an image, drawn over it, and what a model is worth."""

from sunpy_scss._plot_maps import cases, comparison, disagreement, labelled_regions, overlay, probability
from sunpy_scss._plot_scores import evaluation_page, scores_over_time, training_history

__all__ = [
    "cases",
    "comparison",
    "disagreement",
    "evaluation_page",
    "labelled_regions",
    "overlay",
    "probability",
    "scores_over_time",
    "training_history",
]
