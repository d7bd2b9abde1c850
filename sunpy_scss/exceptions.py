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
    "OutputInUseError",
    "PartialDiskError",
    "QualityWarning",
    "SplitWarning",
    "TrainingError",
    "UnreadableFileError",
    "WavelengthWarning",
]


class AnnotationError(ValueError):
    """Labels are not what their format says, or beyond what can be on the Sun."""


class ArchiveError(OSError):
    """An archive of images did not answer, or not with what it should: an outage, not an absence of images."""


class InvalidMapError(ValueError):
    """The Map cannot be segmented: its data or its header lack what is needed."""


class InvalidSeriesError(ValueError):
    """A series of fractions or speeds lacks times, a unit or an overlap with the other one."""


class PartialDiskError(InvalidMapError):
    """Too little of the solar disc is inside the Map to know its brightness."""


class ModelError(ValueError):
    """A model folder is incomplete, inconsistent or not what its card says."""


class ModelNotFoundError(ModelError):
    """No model of that name or at that place."""


class TrainingError(ValueError):
    """Data or configuration cannot be trained on, or the training failed."""


class EmptyPartError(TrainingError):
    """A folder of labelled images has none of a part that was asked for."""


class NoImageError(ValueError):
    """There is no image to work on: an empty folder, list or pattern."""


class OutputInUseError(FileExistsError):
    """Another run works on the same output."""


class UnreadableFileError(OSError):
    """A file is missing, cut off, no image, or not one image."""


class WavelengthWarning(SunpyUserWarning):
    """The Map's wavelength is not one that the model was made for."""


class CalibrationWarning(SunpyUserWarning):
    """The intensity calibration of the Map is unknown; it was scaled."""


class LimbWarning(SunpyUserWarning):
    """The limb in the image is not quite where the header has it."""


class MissingDataWarning(SunpyUserWarning):
    """Part of the disc has no data, or something stands before it."""


class MissingImageWarning(SunpyUserWarning):
    """An archive has no image near a time that was asked for."""


class QualityWarning(SunpyUserWarning):
    """The instrument team flagged this image, or it is a dark frame, a calibration, or not of the whole Sun."""


class NothingFoundWarning(SunpyUserWarning):
    """A trained network finds nothing in any of the images that it was validated on."""


class SplitWarning(SunpyUserWarning):
    """A model may have been trained on images that it is scored on, or was, or on those of the days around them."""


class HEKError(OSError):
    """The Heliophysics Events Knowledgebase gave no usable answer: an outage, not an absence of events."""


class HEKWarning(SunpyUserWarning):
    """Events of the HEK were left out, or their time is in doubt."""
