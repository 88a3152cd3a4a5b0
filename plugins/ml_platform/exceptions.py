"""Every error that the platform raises itself.

PlatformError
├── ConfigurationError   a setting or a datasets/*.yaml is invalid: a person must edit it
├── ContractError        an uploaded file breaks its data set's contract: a retry cannot help
├── DegenerateDataError  the training data cannot train a model: more data are needed
├── RegistryError        a registered model is missing or differs from its training record
├── UploadChangedError   the object was replaced or removed while it was read: list the bucket again
├── SourceAwayError      a source of rows cannot be reached: it is waited for
└── ServiceError         a server cannot be reached or failed: retry later
"""


class PlatformError(Exception):
    """Base of all errors that the platform raises on purpose."""


class ConfigurationError(PlatformError):
    """A setting or a data set's YAML is invalid; the text names file, field, value and what is allowed."""


class ContractError(PlatformError):
    """A file breaks its data set's contract; the text names file, line, column, value and what is allowed.

    Attributes:
        line: the line that the text names, as `files.formats.Rows.line`; None if it names none.
    """

    def __init__(self, text: str, *, line: int | None = None) -> None:
        """Keep the text and the line."""
        super().__init__(text)
        self.line = line


class DegenerateDataError(PlatformError):
    """The training data cannot train a model, such as a single class; the text says what is missing."""


class RegistryError(PlatformError):
    """A registered model is missing, or differs from the record of its training."""


class UploadChangedError(PlatformError):
    """The object was replaced or removed between listing and reading; the next listing shows the newer version."""


class ServiceError(PlatformError):
    """A server cannot be reached, failed or gave an unexpected answer; a retry may help."""


class SourceAwayError(PlatformError):
    """A source of rows cannot be reached; it is waited for. The text names its connection."""
