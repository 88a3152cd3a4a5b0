"""Every error that the platform raises itself.

PlatformError
├── ConfigurationError   a setting or a datasets/*.yaml is wrong: a person must edit it
├── ContractError        an uploaded file breaks its data set's contract: retrying cannot help
├── DegenerateDataError  the training data cannot train a model: more data is needed
├── RegistryError        a registered model is not what was recorded at its training
├── UploadChangedError   the object was replaced or removed while it was read: look again
└── ServiceError         a server did not do what was asked: retry later
"""


class PlatformError(Exception):
    """Base of all errors that the platform raises on purpose."""


class ConfigurationError(PlatformError):
    """A setting or a data set's YAML is wrong; the text names file, field, value and what is allowed."""


class ContractError(PlatformError):
    """A file breaks its data set's contract; the text names file, line, column, value and what is allowed."""


class DegenerateDataError(PlatformError):
    """Training data that cannot train a model, such as a single class; the text says what is missing."""


class RegistryError(PlatformError):
    """A registered model is missing or differs from what was recorded when it was trained."""


class UploadChangedError(PlatformError):
    """The object was replaced or removed between being seen and being read; the newer one will be seen again."""


class ServiceError(PlatformError):
    """A server answered, but not with what was asked for; worth a retry."""
