"""Errors and warnings of sunpy_scss."""

from sunpy.util.exceptions import SunpyUserWarning

__all__ = [
    "AnnotationError",
    "ArchiveError",
    "CalibrationWarning",
    "EmptyPartError",
    "HEKError",
    "HEKWarning",
    "InvalidMapError",
    "InvalidSeriesError",
    "LimbWarning",
    "MissingDataWarning",
    "MissingImageWarning",
    "ModelError",
    "ModelNotFoundError",
    "NoImageError",
    "NothingFoundWarning",
    "OutputExistsError",
    "OutputInUseError",
    "PartialDiskError",
    "QualityWarning",
    "SplitWarning",
    "TrainingError",
    "UnreadableFileError",
    "WavelengthWarning",
]


class WithRemedy:
    """
    An error or a warning in two parts: the problem, and its remedy.

    The command shows the remedy in the words of a shell.

    Parameters
    ----------
    problem : str
        The problem, in whole sentences.
    remedy : str, optional
        The remedy in terms of Python.
    in_shell : str, optional
        The remedy in terms of the command; the default is that of Python.

    Attributes
    ----------
    problem, remedy, in_shell : str

    Examples
    --------
    >>> from sunpy_scss.exceptions import OutputExistsError
    >>> error = OutputExistsError("a.fits exists.", "Pass overwrite=True.", in_shell="Add --overwrite.")
    >>> print(error)
    a.fits exists. Pass overwrite=True.
    >>> print(error.problem, error.in_shell)
    a.fits exists. Add --overwrite.
    """

    def __init__(self, problem: str = "", remedy: str = "", *, in_shell: str | None = None):
        super().__init__(f"{problem} {remedy}".strip())
        self.problem, self.remedy = problem, remedy
        self.in_shell = remedy if in_shell is None else in_shell


class AnnotationError(WithRemedy, ValueError):
    """Labels do not follow their format, or cannot be on the Sun."""


class ArchiveError(WithRemedy, OSError):
    """An archive of images did not answer, or answered wrongly: an outage, not an absence of images."""


class InvalidMapError(WithRemedy, ValueError):
    """The Map cannot be segmented: its data or its header lack something that is needed."""


class InvalidSeriesError(WithRemedy, ValueError):
    """A series of fractions or speeds lacks times, a unit or an overlap with the other one."""


class PartialDiskError(InvalidMapError):
    """The Map shows too little of the solar disc to measure its brightness."""


class ModelError(WithRemedy, ValueError):
    """A model folder is incomplete, inconsistent or contradicts its card."""


class ModelNotFoundError(ModelError):
    """There is no model of that name or at that place."""


class TrainingError(WithRemedy, ValueError):
    """The data or the configuration are unfit for training, or the training failed."""


class EmptyPartError(TrainingError):
    """A folder of labelled images has no image of the requested part."""


class NoImageError(WithRemedy, ValueError):
    """There is no image to work on: an empty folder, list or pattern."""


class OutputExistsError(WithRemedy, FileExistsError):
    """A file to be written exists, and its replacement was not requested."""


class OutputInUseError(WithRemedy, FileExistsError):
    """Another run works on the same output."""


class UnreadableFileError(WithRemedy, OSError):
    """A file is missing, truncated, not an image, or has several images."""


class WavelengthWarning(WithRemedy, SunpyUserWarning):
    """The model was not made for the wavelength of the Map."""


class CalibrationWarning(WithRemedy, SunpyUserWarning):
    """The intensity calibration of the Map is unknown; it was scaled."""


class LimbWarning(WithRemedy, SunpyUserWarning):
    """The limb in the image is slightly off its place in the header."""


class MissingDataWarning(WithRemedy, SunpyUserWarning):
    """A part of the disc has no data, or something is in front of it."""


class MissingImageWarning(WithRemedy, SunpyUserWarning):
    """An archive has no image near a requested time."""


class QualityWarning(WithRemedy, SunpyUserWarning):
    """The image was flagged by its team, is a dark frame or a calibration, or does not show the whole Sun."""


class NothingFoundWarning(WithRemedy, SunpyUserWarning):
    """A trained network finds nothing in any of its validation images."""


class SplitWarning(WithRemedy, SunpyUserWarning):
    """A model was or may have been trained on the images that score it, or on images of the days around them."""


class HEKError(WithRemedy, OSError):
    """The Heliophysics Events Knowledgebase gave no usable answer: an outage, not an absence of events."""


class HEKWarning(WithRemedy, SunpyUserWarning):
    """Events of the HEK were left out, or their time is in doubt."""
