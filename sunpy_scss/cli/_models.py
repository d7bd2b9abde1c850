"""The commands about models."""

from sunpy_scss.cli._options import add_command, add_network, register, target_folder, tell

__all__ = ["add_model_commands"]


def add_model_commands(commands):
    """Add the commands about models to the parsers of all commands."""
    _add_models(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_calibrate(commands)


def _add_models(commands):
    command = add_command(commands, "models", _models, "List the models, or show the card of one.")
    show = command.add_subparsers(metavar="show").add_parser("show", help="print the card of a model")
    show.add_argument("model", metavar="NAME", help="name or folder of a model")
    show.add_argument(
        "--recipe", action="store_true", help="print a configuration to fine-tune it, for train; edit and save it"
    )
    add_network(show)


def _models(options):
    import json

    from sunpy_scss._features import FEATURES
    from sunpy_scss.models._store import list_models, load_model

    if hasattr(options, "model"):
        register(options.network)
        card = load_model(options.model).card
        print(_recipe(options.model) if options.recipe else json.dumps(card.to_dict(), indent=2))
        return 0
    for name in list_models():
        model = load_model(name)
        card = model.card
        iou = card.scores.get("model", {}).get("iou")
        score = "not scored" if iou is None else f"validation IoU {iou:.2f}"
        names = ", ".join(boundary.name for boundary in card.boundaries)
        drawn = f"  boundaries: {names}, by default {model.at().card.scored}" if names else ""
        seen = ", ".join(f"{channel.wavelength:g}" for channel in card.channels)
        default = "  (default)" if name == FEATURES[card.feature].model else ""
        print(f"{name}{default}  {card.feature}  {seen} Angstrom  labels: {card.labels}  {score}{drawn}")
    return 0


def _recipe(model):
    from sunpy_scss.train._configuration import Configuration

    return Configuration.starting_from(model, "mine").to_toml()


def _add_train(commands):
    command = add_command(commands, "train", _train, "Train a model and write its folder.")
    command.add_argument(
        "configuration",
        nargs="?",
        metavar="CONFIG",
        help="TOML file, or the name of a bundled configuration; with --start it may be left out",
    )
    command.add_argument(
        "--start", metavar="NAME", help="name or folder of a model to fine-tune: the training starts from its weights"
    )
    _add_data(command)
    command.add_argument(
        "--output",
        required=True,
        type=target_folder,
        metavar="DIR",
        help="folder of the model; an unfinished training there goes on",
    )
    _add_cache(command)
    add_network(command)


def _add_data(command):
    command.add_argument(
        "--data",
        required=True,
        metavar="DIR",
        help="folder with images/, masks/ and index.csv; parted by time where the index has no column split",
    )


def _add_cache(command):
    command.add_argument("--cache", metavar="DIR", help="keep the images as the network sees them here, not in memory")


def _train(options):
    import json

    from astropy.units import day

    from sunpy_scss.models._store import refuse_to_overwrite
    from sunpy_scss.train._run import train_model
    from sunpy_scss.train._weights import device

    register(options.network)
    configuration = _configuration(options)
    refuse_to_overwrite(options.output)  # checked now, before all images are read
    split = {"gap": configuration.gap_days * day, "seed": configuration.seed, "test": configuration.test_share}
    training, validation = (_part(options, configuration.card, name, **split) for name in ("train", "validation"))
    test = _part(options, configuration.card, "test", needed=False, **split)
    tell(f"sunpy-scss: trains on {device()}")
    model = train_model(configuration, training, validation, options.output, test=test)
    print(json.dumps(model.card.scores, indent=2))
    return 0


def _configuration(options):
    """Return the configuration that the options name, that follows from a model, or both."""
    import dataclasses
    from pathlib import Path

    from sunpy_scss.exceptions import TrainingError
    from sunpy_scss.train._configuration import Configuration, read_configuration

    if options.configuration:
        configuration = read_configuration(options.configuration)
        return dataclasses.replace(configuration, start=options.start) if options.start else configuration
    if not options.start:
        msg = "Give a configuration to train from, or --start with the name of a model to fine-tune."
        raise TrainingError(msg)
    return Configuration.starting_from(options.start, Path(options.output).resolve().name)


def _part(options, card, name, *, needed=True, **settings):
    """Return the data set of a part of the folder that an option names; None if it is empty and not needed."""
    from sunpy_scss.exceptions import EmptyPartError
    from sunpy_scss.train._datasets import make_dataset
    from sunpy_scss.train._folders import list_folder

    try:
        listed = list_folder(options.data, name, **settings)
    except EmptyPartError:
        if needed:
            raise
        return None
    return make_dataset(listed, card, cache=options.cache)


def _add_evaluate(commands):
    command = add_command(commands, "evaluate", _evaluate, "Score a model on labelled images that it has not seen.")
    command.add_argument("model", metavar="NAME", help="name or folder of a model")
    _add_data(command)
    command.add_argument(
        "--part",
        choices=("validation", "test"),
        default="validation",
        help="of the folder; the test part chose nothing, neither the epoch nor the threshold (default: validation)",
    )
    command.add_argument(
        "--boundary",
        metavar="NAME",
        help="which outline of the model is scored, by default the first one that models lists",
    )
    command.add_argument(
        "--detection",
        action="store_true",
        help="also put dark holes into the images, and tell the share that is found by area and contrast (slow)",
    )
    command.add_argument(
        "--output", type=target_folder, metavar="DIR", help="also write all scores as JSON, and pages of plots"
    )
    _add_cache(command)
    add_network(command)


def _evaluate(options):
    import json

    from sunpy_scss._save import plain_rows
    from sunpy_scss.cli._scores import write_evaluation
    from sunpy_scss.models._store import load_model
    from sunpy_scss.train._detection import detection_curve
    from sunpy_scss.train._evaluation import evaluate
    from sunpy_scss.train._splits import check_unseen

    register(options.network)
    model = load_model(options.model)
    model = model.at(options.boundary or model.card.scored)
    dataset = _part(options, model.card, options.part, known=model.split)
    check_unseen(model, dataset, and_validation=options.part == "test")
    evaluation = evaluate(model, dataset)
    scores = evaluation.summary()
    if options.detection:
        scores["detection"] = dict(zip(("rows", "units"), plain_rows(detection_curve(model, dataset)), strict=True))
    print(json.dumps(scores, indent=2))
    if options.output:
        for path in write_evaluation(evaluation, dataset, options.output):
            print(path)
    return 0


def _add_calibrate(commands):
    command = add_command(commands, "calibrate", _calibrate, "Make a model's probabilities fit labels; masks stay.")
    command.add_argument("model", metavar="DIR", help="folder of a model; its card is changed, its weights are not")
    _add_data(command)
    _add_cache(command)
    add_network(command)


def _calibrate(options):
    import json

    from sunpy_scss.models._store import load_model
    from sunpy_scss.train._calibration import calibrate_folder

    register(options.network)
    model = load_model(options.model)
    dataset = _part(options, model.card, "validation", known=model.split)
    card = calibrate_folder(options.model, dataset).card
    errors = {name: card.scores["model"][name] for name in ("calibration_error", "uncalibrated_error")}
    print(json.dumps({"temperature": card.temperature, "threshold": card.threshold, **errors}, indent=2))
    return 0
