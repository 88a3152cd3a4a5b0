"""A client of the HTTP service for programs of users: `from ml_platform.client import Platform`."""

from ml_platform.client.platform import File, ModelVersion, Platform, Prediction, RequestError, Result, Upload

__all__ = ["File", "ModelVersion", "Platform", "Prediction", "RequestError", "Result", "Upload"]
