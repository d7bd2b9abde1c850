"""Errors and warnings of sunpy_scss."""

from sunpy.util.exceptions import SunpyUserWarning

__all__ = [
    "CalibrationWarning",
    "InvalidMapError",
    "ModelError",
    "ModelNotFoundError",
    "PartialDiskError",
    "QualityWarning",
    "TrainingError",
    "WavelengthWarning",
]


class InvalidMapError(ValueError):
    """The Map cannot be segmented: its data or its header lack what is needed."""


class PartialDiskError(InvalidMapError):
    """Too little of the solar disc is inside the Map to know its brightness."""


class ModelError(ValueError):
    """A model folder is incomplete, inconsistent or not what its card says."""


class ModelNotFoundError(ModelError):
    """No model of that name or at that place."""


class TrainingError(ValueError):
    """Data or configuration cannot be trained on, or the training failed."""


class WavelengthWarning(SunpyUserWarning):
    """The Map's wavelength is not one that the model was made for."""


class CalibrationWarning(SunpyUserWarning):
    """The intensity calibration of the Map is unknown; it was scaled."""


class QualityWarning(SunpyUserWarning):
    """The instrument team flagged this image."""
