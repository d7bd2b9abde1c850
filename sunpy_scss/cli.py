"""The ``sunpy-scss`` command: arguments in, text and exit status out; the work is done elsewhere."""

import argparse
import glob
import os
import sys
from functools import partial

from sunpy_scss._mask_commands import add_mask_commands

__all__ = ["main"]


def main(arguments=None):
    """
    Run the command.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0 if all went well, 1 if something failed, 2 for wrong arguments.
    """
    options = _parser().parse_args(arguments)
    # Read by TensorFlow when it is imported, which nothing above does: a machine without a GPU is no error.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return options.run(options)
    except (OSError, ValueError) as error:
        print(f"sunpy-scss: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="sunpy-scss", description="Coronal holes and active regions in full-disc EUV images."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_segment(commands)
    add_mask_commands(partial(_add_command, commands))
    _add_demo(commands)
    _add_hek_mask(commands)
    _add_fetch(commands)
    _add_track(commands)
    _add_carrington(commands)
    _add_models(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_calibrate(commands)
    return parser


def _add_command(commands, name, run, help_text):
    command = commands.add_parser(name, help=help_text, description=help_text)
    command.set_defaults(run=run)
    return command


def _add_segment(commands):
    command = _add_command(commands, "segment", _segment, "Write the masks of images.")
    command.add_argument("files", nargs="*", metavar="FILE", help="image that sunpy reads, or a quoted pattern")
    command.add_argument(
        "--time", nargs="+", default=[], metavar="TIME", help="download AIA images of these times, compare with HEK"
    )
    _add_source(command)
    _add_hek_url(command)
    command.add_argument(
        "--feature",
        choices=("ch", "ar", "both"),
        default="both",
        help="coronal holes, active regions, or what each wavelength shows (default)",
    )
    command.add_argument("--output", required=True, metavar="DIR", help="folder for the masks")
    command.add_argument("--plot", action="store_true", help="also draw each outline on its image, as PNG")
    command.add_argument("--probability", action="store_true", help="also write the probability of each pixel")
    command.add_argument("--overwrite", action="store_true", help="replace files that are there")
    command.add_argument("--model", metavar="NAME", help="name or folder of a model, instead of the bundled one")
    command.add_argument("--threshold", type=float, help="least probability of a mask's pixels")
    command.add_argument("--min-area", metavar="AREA", help='smallest region, as "1000 Mm2"')
    command.add_argument("--samples", type=int, default=1, metavar="N", help="average over N variants of the image")


def _segment(options):
    from astropy.units import Quantity

    from sunpy_scss.pipeline import fetch_images, segment_files

    if not (options.files or options.time):
        msg = "nothing to do: give files, or --time"
        raise ValueError(msg)
    paths = _expand(options.files)
    features = ("CH", "AR") if options.feature == "both" else (options.feature.upper(),)
    if options.time:
        folder = os.path.join(options.output, "images")
        paths += fetch_images(options.time, features, folder, source=options.source)
    keywords = {"model": options.model, "threshold": options.threshold, "samples": options.samples}
    if options.min_area:
        keywords["min_area"] = Quantity(options.min_area)
    keywords |= {"plot": options.plot, "probability": options.probability, "overwrite": options.overwrite}
    outcomes = segment_files(paths, features, options.output, **keywords)
    for outcome in outcomes:
        for path in outcome.written:
            print(path)
        for path in outcome.kept:
            print(f"{path} was there and is kept (--overwrite replaces it)")
    failed = [outcome for outcome in outcomes if outcome.error]
    for outcome in failed:
        print(outcome.failure, file=sys.stderr)
    if options.time:
        _print_agreement(outcomes, options)
    return 1 if failed else 0


def _expand(patterns):
    """Paths; a shell may leave patterns as they are."""
    return [path for pattern in patterns for path in sorted(glob.glob(pattern)) or [pattern]]


def _print_agreement(outcomes, options):
    from sunpy_scss.pipeline import compare_with_hek

    paths = [path for one in outcomes for path in (*one.written, *one.kept)]
    masks = [path for path in paths if path.name.endswith(("_ch.fits", "_ar.fits"))]
    for mask in masks:
        found = compare_with_hek(mask, client=_hek_server(options))
        if found.events:
            print(
                f"{mask.name}: {found.area:.2f} of the visible hemisphere, SPoCA in the HEK {found.area_hek:.2f} "
                f"({found.events} events), IoU {found.iou:.2f} -> {found.path}"
            )
        else:
            print(f"{mask.name}: {found.area:.2f} of the visible hemisphere; the HEK has no event of SPoCA near it")


def _hek_server(options):
    from sunpy_scss.hek import HEKServer

    return HEKServer(options.hek_url) if options.hek_url else HEKServer()


def _add_source(command):
    command.add_argument(
        "--source",
        choices=("synoptic", "vso", "helioviewer"),
        default="synoptic",
        help="archive: level 1.5 of 1024 pixels (default), full resolution, or JPEG 2000",
    )


def _add_hek_url(command):
    command.add_argument("--hek-url", metavar="URL", help="another server of the HEK")


def _add_fetch(commands):
    command = _add_command(commands, "fetch", _fetch, "Download the AIA images nearest to some times.")
    command.add_argument("--time", nargs="+", required=True, metavar="TIME", help="times, such as 2017-01-03T12:00")
    command.add_argument("--feature", choices=("ch", "ar", "both"), default="both", help="193, 171 Angstrom, or both")
    command.add_argument("--output", required=True, metavar="DIR", help="folder; files that are there are kept")
    _add_source(command)


def _fetch(options):
    from sunpy_scss.pipeline import fetch_images

    features = ("CH", "AR") if options.feature == "both" else (options.feature.upper(),)
    for path in fetch_images(options.time, features, options.output, source=options.source):
        print(path)
    return 0


def _add_hek_mask(commands):
    command = _add_command(commands, "hek-mask", _hek_mask, "Draw events of the HEK on the pixels of an image.")
    command.add_argument("--map", required=True, metavar="FILE", help="the image")
    command.add_argument("--feature", choices=("ch", "ar"), required=True, help="coronal holes or active regions")
    command.add_argument("--output", required=True, metavar="FILE", help="the mask, as FITS")
    command.add_argument(
        "--time", nargs=2, metavar=("FROM", "TO"), help="events of this time; six hours about the image by default"
    )
    command.add_argument("--method", nargs="+", default=["SPoCA"], metavar="NAME", help="default: SPoCA")
    command.add_argument("--max-gap", default="6 h", metavar="TIME", help="draw nothing farther off (default: 6 h)")
    command.add_argument("--labels", action="store_true", help="number the events instead of setting 1")
    command.add_argument("--overwrite", action="store_true", help="replace the mask if it is there")
    _add_hek_url(command)


def _hek_mask(options):
    from astropy.units import Quantity

    from sunpy_scss.pipeline import hek_mask_file

    mask = hek_mask_file(
        options.map,
        options.output,
        options.feature.upper(),
        time_range=options.time,
        frm_name=options.method,
        max_gap=Quantity(options.max_gap),
        labels=options.labels,
        overwrite=options.overwrite,
        client=_hek_server(options),
    )
    print(f"{mask.meta['HEKDRAWN']} events drawn, {mask.meta['HEKLEFT']} left out -> {options.output}")
    return 0


def _add_demo(commands):
    command = _add_command(commands, "demo", _demo, "Segment two real images that come with sunpy; needs no network.")
    command.add_argument(
        "--output", default="sunpy-scss-demo", metavar="DIR", help="folder for masks and picture (default: %(default)s)"
    )


def _demo(options):
    from sunpy_scss.pipeline import demo

    for line in demo(options.output):
        print(line)
    return 0


def _add_track(commands):
    command = _add_command(commands, "track", _track, "Follow the regions of masks from one to the next.")
    command.add_argument("files", nargs="+", metavar="MASK", help="mask that segment wrote, or a quoted pattern")
    command.add_argument("--output", required=True, metavar="DIR", help="folder for the tables and the picture")
    command.add_argument("--overwrite", action="store_true", help="replace files that are there")


def _track(options):
    from sunpy_scss.evolution_files import track_files

    for path in track_files(_expand(options.files), options.output, overwrite=options.overwrite):
        print(path)
    return 0


def _add_carrington(commands):
    command = _add_command(commands, "carrington", _carrington, "Write the Carrington map of masks of a rotation.")
    command.add_argument("files", nargs="+", metavar="MASK", help="mask that segment wrote, or a quoted pattern")
    command.add_argument("--output", required=True, metavar="FILE", help="the map, as FITS")
    command.add_argument("--projection", choices=("CEA", "CAR"), default="CEA", help="default: CEA, equal areas")
    command.add_argument("--rotation", type=int, metavar="N", help="of this Carrington rotation; all by default")
    command.add_argument("--overwrite", action="store_true", help="replace the map if it is there")


def _carrington(options):
    from sunpy_scss.evolution_files import carrington_file

    keywords = {"projection": options.projection, "rotation": options.rotation, "overwrite": options.overwrite}
    smap = carrington_file(_expand(options.files), options.output, **keywords)
    print(f"{smap.meta['parent']} -> {options.output}")
    return 0


def _add_models(commands):
    command = _add_command(commands, "models", _models, "List the models, or show the card of one.")
    show = command.add_subparsers(metavar="show").add_parser("show", help="print the card of a model")
    show.add_argument("model", metavar="NAME", help="name or folder of a model")


def _models(options):
    import json

    from sunpy_scss.models import list_models, load_model

    if hasattr(options, "model"):
        print(json.dumps(load_model(options.model).card.to_dict(), indent=2))
        return 0
    for name in list_models():
        card = load_model(name).card
        iou = card.scores.get("model", {}).get("iou")
        score = "not scored" if iou is None else f"validation IoU {iou:.2f}"
        print(f"{name}  {card.feature}  {card.wavelength:g} Angstrom  labels: {card.labels}  {score}")
    return 0


def _add_train(commands):
    command = _add_command(commands, "train", _train, "Train a model and write its folder.")
    command.add_argument("configuration", metavar="CONFIG", help="TOML file, or the name of a bundled configuration")
    command.add_argument(
        "--data",
        required=True,
        metavar="DIR",
        help="folder with images/, masks/ and index.csv; split by time if it is not",
    )
    command.add_argument(
        "--output", required=True, metavar="DIR", help="folder of the model; an unfinished training there goes on"
    )
    _add_cache(command)


def _add_cache(command):
    command.add_argument("--cache", metavar="DIR", help="keep the images as the network sees them here, not in memory")


def _train(options):
    import json

    from astropy.units import day

    from sunpy_scss.models import refuse_to_overwrite
    from sunpy_scss.train import read_configuration, train_model

    configuration = read_configuration(options.configuration)
    refuse_to_overwrite(options.output)  # rather now than after all images have been read
    parts = _parts(options, configuration.card, gap=configuration.gap_days * day, seed=configuration.seed)
    model = train_model(configuration, *parts, options.output)
    print(json.dumps(model.card.scores, indent=2))
    return 0


def _parts(options, card, *, names=("train", "validation"), **settings):
    """Data sets of the parts of the folder that an option names."""
    from sunpy_scss.train import list_folder, make_dataset

    listed = [list_folder(options.data, name, **settings) for name in names]
    return [make_dataset(files, card, cache=options.cache) for files in listed]


def _add_evaluate(commands):
    command = _add_command(commands, "evaluate", _evaluate, "Score a model on the validation part of labelled images.")
    command.add_argument("model", metavar="NAME", help="name or folder of a model")
    command.add_argument("--data", required=True, metavar="DIR", help="folder with images/, masks/ and index.csv")
    command.add_argument("--output", metavar="DIR", help="also write all scores as JSON, and pages of plots")
    _add_cache(command)


def _evaluate(options):
    import json

    from sunpy_scss.evaluation import score_model
    from sunpy_scss.models import load_model
    from sunpy_scss.pipeline import write_evaluation
    from sunpy_scss.train import evaluate, split_settings

    model = load_model(options.model)
    (dataset,) = _parts(options, model.card, names=("validation",), **split_settings(options.model))
    print(json.dumps(evaluate(model, dataset), indent=2))
    if options.output:
        for path in write_evaluation(score_model(model, dataset), dataset, options.output):
            print(path)
    return 0


def _add_calibrate(commands):
    command = _add_command(commands, "calibrate", _calibrate, "Make a model's probabilities fit labels; masks stay.")
    command.add_argument("model", metavar="DIR", help="folder of a model; its card is changed, its weights are not")
    command.add_argument("--data", required=True, metavar="DIR", help="folder with images/, masks/ and index.csv")
    _add_cache(command)


def _calibrate(options):
    import json

    from sunpy_scss.calibration import calibrate_folder
    from sunpy_scss.models import load_model
    from sunpy_scss.train import split_settings

    parts = _parts(options, load_model(options.model).card, **split_settings(options.model))
    card = calibrate_folder(options.model, *parts).card
    errors = {name: card.scores["model"][name] for name in ("calibration_error", "uncalibrated_error")}
    print(json.dumps({"temperature": card.temperature, "threshold": card.threshold, **errors}, indent=2))
    return 0
