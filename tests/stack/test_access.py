"""Buckets and rights: the policies in `minio/`, and the errors of a policy that not every server enforces."""

import json

import pytest

from stack import access
from stack.access import BUCKET_ACTIONS, FOLDER, OBJECT_ACTIONS
from stack.errors import ConfigError

EVERYTHING = BUCKET_ACTIONS | OBJECT_ACTIONS
ALLOW = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::in/*"]}
LOOK = {"Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::in"]}
DENY = {"Effect": "Deny", "Action": ["admin:*"]}


def test_the_platform_uses_every_bucket_of_data_and_a_folder_of_mlflows():
    assert access.buckets() == ["train", "test", "label", "result", "mlflow", "reports", "logs"]
    rights = access.rights("platform")
    assert rights.pop("mlflow/training_sets") == OBJECT_ACTIONS
    assert not rights.pop("mlflow") & {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"}
    assert rights == dict.fromkeys(["train", "test", "label", "result", "reports"], EVERYTHING)
    assert access.rights("mlflow") == {"mlflow": EVERYTHING}
    assert access.rights("logs") == {"logs": EVERYTHING}
    files = access.rights("files")
    assert {bucket for bucket, actions in files.items() if "s3:PutObject" in actions} == {"train", "test", "label"}
    assert {bucket for bucket, actions in files.items() if "s3:GetObject" in actions} == {"result"}


def test_the_buckets_of_a_policy_are_those_in_which_it_allows_anything():
    assert access.buckets_of("platform") == ["label", "mlflow", "reports", "result", "test", "train"]
    assert access.buckets_of("logs") == ["logs"]


def test_users_of_the_console_can_browse_upload_download_and_delete():
    needed = {"s3:ListBucket", "s3:PutObject", "s3:GetObject", "s3:DeleteObject"}
    rights = access.rights("console")
    assert list(rights) == access.buckets()
    assert all(needed <= actions for actions in rights.values())


@pytest.mark.parametrize("file", sorted((FOLDER / "policies").glob("*.json")), ids=lambda file: file.stem)
def test_no_policy_allows_administration(file):
    assert DENY.items() <= json.loads(file.read_text())["Statement"][-1].items()


def test_rights_add_up_by_bucket(policy):
    put = ALLOW | {"Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::in/*", "arn:aws:s3:::out/*"]}
    assert access.rights("some", policy(ALLOW, put, DENY)) == {
        "in": {"s3:GetObject", "s3:PutObject"},
        "out": {"s3:PutObject"},
    }


def test_a_folder_of_a_bucket_has_rights_of_its_own(policy):
    inside = ALLOW | {"Resource": ["arn:aws:s3:::in/some_folder/*"]}
    assert access.rights("some", policy(LOOK, inside, DENY)) == {
        "in": {"s3:GetBucketLocation"},
        "in/some_folder": {"s3:GetObject"},
    }


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (ALLOW | {"Resource": ["arn:aws:s3:::in/a/b/*"]}, "'arn:aws:s3:::in/a/b/"),
        (ALLOW | {"Resource": ["arn:aws:s3:::in/../*"]}, "'arn:aws:s3:::in/../"),
        (ALLOW | {"Resource": ["arn:aws:s3:::in/one"]}, "'arn:aws:s3:::in/one' is not possible"),
        (ALLOW | {"Action": ["s3:*"]}, r"'s3:\*' is not possible; possible are s3:AbortMultipartUpload, "),
        (ALLOW | {"Action": ["s3:ListBucket"]}, r"on arn:aws:s3:::in/\* the action 's3:ListBucket'"),
        (LOOK | {"Action": ["s3:DeleteBucket"]}, "'s3:DeleteBucket' is not possible; possible are s3:GetBucketLoc"),
        (ALLOW | {"Resource": ["arn:aws:s3:::*"]}, r"'arn:aws:s3:::\*' is not possible; possible are arn:aws:s3:::in"),
        (ALLOW | {"Resource": ["arn:aws:s3:::other/*"]}, "'arn:aws:s3:::other/"),
        (ALLOW | {"Effect": "Deny"}, r"a Deny of 's3:GetObject' is not possible; possible are admin:\*"),
        (ALLOW | {"Effect": "Maybe"}, "Statement.0.Effect: Input should be 'Allow' or 'Deny'"),
        (ALLOW | {"Action": "s3:GetObject"}, "Statement.0.Action: Input should be a valid array"),
        (ALLOW | {"Condition": {}}, "Statement.0.Condition: Extra inputs are not permitted"),
    ],
)
def test_a_statement_that_not_every_server_enforces_is_refused(policy, statement, problem):
    with pytest.raises(ConfigError, match=rf"policies/some\.json.*{problem}"):
        access.rights("some", policy(statement))


def test_another_version_of_the_policy_language_is_refused(policy):
    with pytest.raises(ConfigError, match="Version: Input should be '2012-10-17'"):
        access.rights("some", policy(ALLOW, version="2008-10-17"))
