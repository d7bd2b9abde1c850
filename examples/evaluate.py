"""
The scores of a model
=====================

`~sunpy_scss.train.evaluate` scores a model by place and time, with intervals. Here
the model is no network but a plain threshold, and the Sun is a synthetic one whose
coronal holes are known.
"""

import matplotlib.pyplot as plt

from sunpy_scss.models import Model, ModelCard, Network, Stretch
from sunpy_scss.plotting import plot_cases, plot_comparison, plot_evaluation
from sunpy_scss.segment import segment_coronal_holes
from sunpy_scss.synthetic import synthetic_sun
from sunpy_scss.train import LabelledMap, evaluate, make_dataset

# %%
# Twelve Suns, two months apart, with their true holes as labels.

dates = [f"{year}-{month:02}-01" for year in (2016, 2017) for month in range(1, 13, 2)]
suns = [synthetic_sun(date, size=256, seed=seed) for seed, date in enumerate(dates)]
labelled = [
    LabelledMap(date, sun.image, sun.coronal_holes)
    for date, sun in zip(dates, suns, strict=True)
]

# %%
# A model is a card and a function of the stretched images. This one takes dark pixels
# for a hole: the darker a pixel, the higher its probability.

card = ModelCard(
    name="dark",
    feature="CH",
    wavelength=193,
    wavelengths=(193,),
    grid_size=128,
    half_width=1.25,
    stretch=Stretch(floor=21, limits=(0.2, 2.2), exponent=0.5, reference_median=70),
    network=Network(),
)
model = Model(card, lambda images: (1 - 2.3 * images).clip(0, 1))

# %%
# Its scores on the disc, by latitude, by distance from disc centre and by year.

dataset = make_dataset(labelled, card)
evaluation = evaluate(model, dataset)
columns = ["by", "zone", "labelled", "iou", "iou_low", "iou_high", "recall"]
for name in columns[3:]:
    evaluation.scores[name].info.format = ".3f"
evaluation.scores[columns].pprint_all()

# %%
# A figure shows all of it on one page. The intervals come from drawing whole blocks of
# time.

figure = plot_evaluation(evaluation)

# %%
# The worst cases, above the best, show where it fails.

figure = plot_cases(dataset, evaluation)

# %%
# One Map with its labels, its mask, and where they agree.

sun = suns[0]
mask = segment_coronal_holes(sun.image, model=model)
figure = plot_comparison(sun.image, sun.coronal_holes, mask)

plt.show()
