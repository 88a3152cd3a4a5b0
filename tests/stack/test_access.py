"""One description of buckets and rights: what it says, and what it may not say."""

import json

import pytest

from stack import access, seaweedfs
from stack.access import BUCKET_ACTIONS, FOLDER, OBJECT_ACTIONS
from stack.errors import ConfigError

EVERYTHING = BUCKET_ACTIONS | OBJECT_ACTIONS
ALLOW = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::in/*"]}
LOOK = {"Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::in"]}
DENY = {"Effect": "Deny", "Action": ["admin:*"]}


@pytest.fixture
def policy(tmp_path):
    """Return a folder with the buckets `in` and `out` and a policy `some` of these statements."""

    def written(*statements, version="2012-10-17"):
        (tmp_path / "buckets").write_text("in\nout\n")
        (tmp_path / "policies").mkdir(exist_ok=True)
        text = json.dumps({"Version": version, "Statement": statements})
        (tmp_path / "policies" / "some.json").write_text(text)
        return tmp_path

    return written


def test_the_platform_uses_every_bucket_and_mlflow_its_own():
    assert access.buckets() == ["train", "test", "result", "mlflow", "reports"]
    assert access.rights("platform") == dict.fromkeys(access.buckets(), EVERYTHING)
    assert access.rights("mlflow") == {"mlflow": EVERYTHING}


def test_whoever_uses_the_console_may_browse_upload_download_and_delete():
    needed = {"s3:ListBucket", "s3:PutObject", "s3:GetObject", "s3:DeleteObject"}
    rights = access.rights("console")
    assert list(rights) == access.buckets()
    assert all(needed <= actions for actions in rights.values())


@pytest.mark.parametrize("file", sorted((FOLDER / "policies").glob("*.json")), ids=lambda file: file.stem)
def test_nobody_administers(file):
    assert DENY.items() <= json.loads(file.read_text())["Statement"][-1].items()


def test_rights_add_up_by_bucket(policy):
    put = ALLOW | {"Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::in/*", "arn:aws:s3:::out/*"]}
    assert access.rights("some", policy(ALLOW, put, DENY)) == {
        "in": {"s3:GetObject", "s3:PutObject"},
        "out": {"s3:PutObject"},
    }


@pytest.mark.parametrize(
    ("statement", "named"),
    [
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
def test_what_no_server_or_not_every_server_holds_to_is_refused(policy, statement, named):
    with pytest.raises(ConfigError, match=rf"policies/some\.json.*{named}"):
        access.rights("some", policy(statement))


def test_another_version_of_the_language_is_refused(policy):
    with pytest.raises(ConfigError, match="Version: Input should be '2012-10-17'"):
        access.rights("some", policy(ALLOW, version="2008-10-17"))


def test_seaweedfs_is_told_in_its_own_verbs(policy):
    assert seaweedfs.verbs("mlflow") == ["Read:mlflow", "List:mlflow", "Write:mlflow", "Tagging:mlflow"]
    assert len(seaweedfs.verbs("platform")) == 4 * len(access.buckets())
    assert seaweedfs.verbs("some", policy(ALLOW, LOOK)) == ["Read:in"]


def test_seaweedfs_never_allows_more_than_the_policy(policy):
    put = ALLOW | {"Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObjectVersion"]}
    with pytest.raises(ConfigError, match=r"some\.json: in the bucket in, .* all or none .* s3:DeleteObject\.$"):
        seaweedfs.verbs("some", policy(put))
