"""Who may ask for what: one token is for predictions, and one more for files and all else."""

import hmac
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Tokens:
    """The bearer tokens of the service.

    Attributes:
        predict: for predictions, facts about models, and metrics.
        files: for these, and for files and results; None if the service has no part in files.
    """

    def __init__(self, predict: SecretStr, files: SecretStr | None = None) -> None:
        """Keep the tokens."""
        self.predict, self.files = predict, files

    # both are async: to change to a thread would take longer than this
    async def authorize(self, credentials: Credentials) -> None:
        """Let a caller with one of the tokens pass; raise HTTPException with 401 for any other."""
        # Each token is compared, so that the time does not say which one is nearly right.
        matches = [self._is(token, credentials) for token in (self.predict, self.files) if token]
        if not any(matches):
            raise HTTPException(401, "a token is required: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})

    async def authorize_files(self, credentials: Credentials) -> None:
        """Let a caller with the token of files pass; raise HTTPException with 401 or, for the other one, 403."""
        await self.authorize(credentials)
        if not self._is(self.files, credentials):
            raise HTTPException(403, "this token is for predictions only; files need SERVING_FILES_TOKEN")

    @staticmethod
    def _is(token: SecretStr | None, credentials: HTTPAuthorizationCredentials | None) -> bool:
        presented = credentials.credentials if credentials else ""
        return token is not None and hmac.compare_digest(presented.encode(), token.get_secret_value().encode())
