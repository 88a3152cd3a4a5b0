"""One token predicts, the other one has files as well; no other text opens anything."""

import asyncio

import pytest
from fastapi import HTTPException
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import SecretStr

from ml_platform.serving.tokens import Tokens

BOTH = Tokens(SecretStr("predict-token"), SecretStr("files-token"))
ONE = Tokens(SecretStr("predict-token"))


def status(tokens: Tokens, presented: str | None, *, of_files: bool) -> int:
    check = tokens.authorize_files if of_files else tokens.authorize
    credentials = None if presented is None else HTTPAuthorizationCredentials(scheme="Bearer", credentials=presented)
    try:
        asyncio.run(check(credentials))
    except HTTPException as error:
        return error.status_code
    return 200


@pytest.mark.parametrize(
    ("presented", "general", "files"),
    [("predict-token", 200, 403), ("files-token", 200, 200), ("", 401, 401), (None, 401, 401), ("ä", 401, 401)],
)
def test_each_token_opens_its_routes(presented: str | None, general: int, files: int) -> None:
    assert status(BOTH, presented, of_files=False) == general
    assert status(BOTH, presented, of_files=True) == files


def test_without_a_token_for_files_nobody_gets_them() -> None:
    assert status(ONE, "predict-token", of_files=False) == 200
    assert status(ONE, "predict-token", of_files=True) == 403
    assert status(ONE, "", of_files=True) == 401
