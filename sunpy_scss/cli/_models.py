"""The parts of the command that are about models."""

from sunpy_scss.cli._options import add_command

__all__ = ["add_model_commands"]


def add_model_commands(commands):
    """Add the commands about models to the parsers of all."""
    _add_models(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_calibrate(commands)


def _add_models(commands):
    command = add_command(commands, "models", _models, "List the models, or show the card of one.")
    show = command.add_subparsers(metavar="show").add_parser("show", help="print the card of a model")
    show.add_argument("model", metavar="NAME", help="name or folder of a model")


def _models(options):
    import json

    from sunpy_scss.models._store import list_models, load_model

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
    command = add_command(commands, "train", _train, "Train a model and write its folder.")
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

    from sunpy_scss.models._store import refuse_to_overwrite
    from sunpy_scss.train._configuration import read_configuration
    from sunpy_scss.train._run import train_model

    configuration = read_configuration(options.configuration)
    refuse_to_overwrite(options.output)  # rather now than after all images have been read
    parts = _parts(options, configuration.card, gap=configuration.gap_days * day, seed=configuration.seed)
    model = train_model(configuration, *parts, options.output)
    print(json.dumps(model.card.scores, indent=2))
    return 0


def _parts(options, card, *, names=("train", "validation"), **settings):
    """Data sets of the parts of the folder that an option names."""
    from sunpy_scss.train._datasets import make_dataset
    from sunpy_scss.train._folders import list_folder

    listed = [list_folder(options.data, name, **settings) for name in names]
    return [make_dataset(files, card, cache=options.cache) for files in listed]


def _add_evaluate(commands):
    command = add_command(commands, "evaluate", _evaluate, "Score a model on the validation part of labelled images.")
    command.add_argument("model", metavar="NAME", help="name or folder of a model")
    command.add_argument("--data", required=True, metavar="DIR", help="folder with images/, masks/ and index.csv")
    command.add_argument("--output", metavar="DIR", help="also write all scores as JSON, and pages of plots")
    _add_cache(command)


def _evaluate(options):
    import json

    from sunpy_scss.files._images import write_evaluation
    from sunpy_scss.models._store import load_model
    from sunpy_scss.train._evaluation import evaluate, score_model
    from sunpy_scss.train._run import split_settings

    model = load_model(options.model)
    (dataset,) = _parts(options, model.card, names=("validation",), **split_settings(options.model))
    print(json.dumps(evaluate(model, dataset), indent=2))
    if options.output:
        for path in write_evaluation(score_model(model, dataset), dataset, options.output):
            print(path)
    return 0


def _add_calibrate(commands):
    command = add_command(commands, "calibrate", _calibrate, "Make a model's probabilities fit labels; masks stay.")
    command.add_argument("model", metavar="DIR", help="folder of a model; its card is changed, its weights are not")
    command.add_argument("--data", required=True, metavar="DIR", help="folder with images/, masks/ and index.csv")
    _add_cache(command)


def _calibrate(options):
    import json

    from sunpy_scss.models._store import load_model
    from sunpy_scss.train._calibration import calibrate_folder
    from sunpy_scss.train._run import split_settings

    parts = _parts(options, load_model(options.model).card, **split_settings(options.model))
    card = calibrate_folder(options.model, *parts).card
    errors = {name: card.scores["model"][name] for name in ("calibration_error", "uncalibrated_error")}
    print(json.dumps({"temperature": card.temperature, "threshold": card.threshold, **errors}, indent=2))
    return 0
