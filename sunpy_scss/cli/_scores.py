"""The files of the command evaluate."""

from pathlib import Path

__all__ = ["write_evaluation"]


def write_evaluation(evaluation, dataset, folder):
    """
    Write the scores of a model as JSON and as plots; existing files are replaced.

    Parameters
    ----------
    evaluation : sunpy_scss.train.Evaluation
    dataset : sunpy_scss.train.Dataset
        The images that were scored.
    folder : path-like
        Made if missing.

    Returns
    -------
    list of pathlib.Path
        ``scores.json``, ``scores.png`` and ``cases.png``.
    """
    import json

    from sunpy_scss._save import save_figure, save_text
    from sunpy_scss.plotting._maps import plot_cases
    from sunpy_scss.plotting._scores import plot_evaluation

    paths = [Path(folder, name) for name in ("scores.json", "scores.png", "cases.png")]
    save_text(json.dumps(evaluation.to_dict(), indent=2), paths[0])
    save_figure(plot_evaluation(evaluation), paths[1])
    save_figure(plot_cases(dataset, evaluation), paths[2])
    return paths
