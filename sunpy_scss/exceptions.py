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
        Whatever is wrong, as whole sentences.
    remedy : str, optional
        What to do about it, in terms of Python.
    in_shell : str, optional
        The remedy in terms of the command; that of Python by default.

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
    """Labels are not what their format says, or beyond what can be on the Sun."""


class ArchiveError(WithRemedy, OSError):
    """An archive of images did not answer, or not with what it should: an outage, not an absence of images."""


class InvalidMapError(WithRemedy, ValueError):
    """The Map cannot be segmented: its data or its header lack what is needed."""


class InvalidSeriesError(WithRemedy, ValueError):
    """A series of fractions or speeds lacks times, a unit or an overlap with the other one."""


class PartialDiskError(InvalidMapError):
    """Too little of the solar disc is inside the Map to know its brightness."""


class ModelError(WithRemedy, ValueError):
    """A model folder is incomplete, inconsistent or not what its card says."""


class ModelNotFoundError(ModelError):
    """No model of that name or at that place."""


class TrainingError(WithRemedy, ValueError):
    """Data or configuration cannot be trained on, or the training failed."""


class EmptyPartError(TrainingError):
    """A folder of labelled images has none of a part that was asked for."""


class NoImageError(WithRemedy, ValueError):
    """There is no image to work on: an empty folder, list or pattern."""


class OutputExistsError(WithRemedy, FileExistsError):
    """A file that is to be written exists, and replacing it was not asked for."""


class OutputInUseError(WithRemedy, FileExistsError):
    """Another run works on the same output."""


class UnreadableFileError(WithRemedy, OSError):
    """A file is missing, cut off, no image, or not one image."""


class WavelengthWarning(WithRemedy, SunpyUserWarning):
    """The Map's wavelength is not one that the model was made for."""


class CalibrationWarning(WithRemedy, SunpyUserWarning):
    """The intensity calibration of the Map is unknown; it was scaled."""


class LimbWarning(WithRemedy, SunpyUserWarning):
    """The limb in the image is not quite where the header has it."""


class MissingDataWarning(WithRemedy, SunpyUserWarning):
    """Part of the disc has no data, or something stands before it."""


class MissingImageWarning(WithRemedy, SunpyUserWarning):
    """An archive has no image near a time that was asked for."""


class QualityWarning(WithRemedy, SunpyUserWarning):
    """The instrument team flagged this image, or it is a dark frame, a calibration, or not of the whole Sun."""


class NothingFoundWarning(WithRemedy, SunpyUserWarning):
    """A trained network finds nothing in any of the images that it was validated on."""


class SplitWarning(WithRemedy, SunpyUserWarning):
    """A model may have been trained on images that it is scored on, or was, or on those of the days around them."""


class HEKError(WithRemedy, OSError):
    """The Heliophysics Events Knowledgebase gave no usable answer: an outage, not an absence of events."""


class HEKWarning(WithRemedy, SunpyUserWarning):
    """Events of the HEK were left out, or their time is in doubt."""
