"""The options of the whole platform: the content of the file `datasets/platform.yaml`, which need not exist."""

from typing import Literal

from pydantic import Field

from ml_platform.specs.alerts import AlertOptions
from ml_platform.specs.backup import Backup
from ml_platform.specs.lineage import LineageOptions
from ml_platform.specs.parts import SpecModel
from ml_platform.specs.retention import PlatformRetention
from ml_platform.specs.traces import TraceOptions

PLATFORM_FILE = "platform.yaml"


class PlatformOptions(SpecModel):
    """What holds for all data sets."""

    kind: Literal["platform"] = Field(default="platform", description="the file is no data set")
    lineage: LineageOptions = Field(default_factory=LineageOptions, description="where events about lineage go")
    alerts: AlertOptions = Field(default=AlertOptions(), description="messages about what needs a person")
    retention: PlatformRetention = Field(
        default=PlatformRetention(), description="how long things are kept, where a data set says nothing else"
    )
    traces: TraceOptions = Field(default=TraceOptions(), description="where spans of OpenTelemetry go")
    backup: Backup | None = Field(default=None, description="when backups are made; by default by hand only")
