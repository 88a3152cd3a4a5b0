#!/bin/sh
# Set up a MinIO server from this folder: the buckets, the users and their rights. Idempotent.
#
# MC_HOST_store is the server and its root login in the form of mc: http://USER:PASSWORD@HOST:PORT, nothing escaped. Each user
# is a pair of variables, listed at the end. No secret is an argument, because process lists show arguments.
set -eu
cd "$(dirname "$0")"

MC_CONFIG_DIR=$(mktemp -d)
export MC_CONFIG_DIR
trap 'rm -rf "$MC_CONFIG_DIR"' EXIT

fail() {
    echo "minio/setup.sh: $1" >&2
    exit 1
}

# Fail if two of the NAME=value pairs have the same value.
names_differ() {
    while [ $# -gt 1 ]; do
        first=$1
        shift
        for other; do
            [ "${first#*=}" != "${other#*=}" ] ||
                fail "${first%%=*} and ${other%%=*} are both \"${other#*=}\"; each needs a name of its own"
        done
    done
}

# Print the policies of a user, separated by blanks.
policies_of() {
    info=$(mc --json admin user info store "$1")
    case $info in
    *'"policyName":"'*)
        info=${info#*'"policyName":"'}
        echo "${info%%'"'*}" | tr , ' '
        ;;
    esac
}

# Create or update a user: name, secret, and its only policy. The group remembers the users of this script; it has no rights.
user() {
    printf '%s\n%s\n' "$1" "$2" | mc admin user add store >/dev/null
    mc admin group add store "$GROUP" "$1" >/dev/null
    mc admin policy attach store "$3" --user "$1" >/dev/null
    has=$(policies_of "$1")
    for policy in $has; do
        [ "$policy" = "$3" ] || mc admin policy detach store "$policy" --user "$1" >/dev/null
    done
    echo "user $1: policy $3"
}

# Remove the users that an earlier run created under names that the arguments do not have any more.
remove_all_but() {
    info=$(mc --json admin group info store "$GROUP")
    members=${info#*'"members":['}
    echo "${members%%']'*}" | tr -d '"' | tr , '\n' | while read -r member; do
        for name; do
            [ "$name" != "$member" ] || continue 2
        done
        mc admin user remove store "$member" </dev/null >/dev/null
        echo "user $member: removed, because it has another name now"
    done
}

: "${MC_HOST_store:?}" "${S3_ACCESS_KEY:?}" "${S3_SECRET_KEY:?}" "${MLFLOW_S3_ACCESS_KEY:?}" "${MLFLOW_S3_SECRET_KEY:?}"
: "${LOGS_S3_ACCESS_KEY:?}" "${LOGS_S3_SECRET_KEY:?}" "${FILES_S3_ACCESS_KEY:?}" "${FILES_S3_SECRET_KEY:?}"
: "${CONSOLE_USER:?}" "${CONSOLE_PASSWORD:?}"
GROUP=ml-platform
root=${MC_HOST_store#*://}
names_differ "S3_ADMIN_ACCESS_KEY=${root%%:*}" "S3_ACCESS_KEY=$S3_ACCESS_KEY" \
    "MLFLOW_S3_ACCESS_KEY=$MLFLOW_S3_ACCESS_KEY" "LOGS_S3_ACCESS_KEY=$LOGS_S3_ACCESS_KEY" \
    "FILES_S3_ACCESS_KEY=$FILES_S3_ACCESS_KEY" "CONSOLE_USER=$CONSOLE_USER"

timeout 60 mc ready store >/dev/null || fail "${MC_HOST_store##*@} did not answer within 60 s"

while read -r bucket; do
    mc mb --ignore-existing "store/$bucket" </dev/null >/dev/null
    echo "bucket $bucket"
done <buckets

# A DELETE in MinIO ignores If-Match, so it could remove a newer file than the one that was read. With versions, the platform
# deletes exactly the version that it has read. A file that a person deletes is removed for good after a day.
for bucket in train test label; do
    mc version enable "store/$bucket" >/dev/null
    mc ilm import "store/$bucket" >/dev/null <<END
{"Rules": [{"ID": "deleted", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
  "Expiration": {"ExpiredObjectDeleteMarker": true}}]}
END
    echo "versions of $bucket: kept for a day"
done

for file in policies/*.json; do
    policy=${file##*/}
    mc admin policy create store "${policy%.json}" "$file" >/dev/null
    echo "policy ${policy%.json}"
done

user "$CONSOLE_USER" "$CONSOLE_PASSWORD" console
user "$MLFLOW_S3_ACCESS_KEY" "$MLFLOW_S3_SECRET_KEY" mlflow
user "$LOGS_S3_ACCESS_KEY" "$LOGS_S3_SECRET_KEY" logs
user "$FILES_S3_ACCESS_KEY" "$FILES_S3_SECRET_KEY" files
remove_all_but "$CONSOLE_USER" "$MLFLOW_S3_ACCESS_KEY" "$LOGS_S3_ACCESS_KEY" "$FILES_S3_ACCESS_KEY" "$S3_ACCESS_KEY"
user "$S3_ACCESS_KEY" "$S3_SECRET_KEY" platform # last, because the platform checks with this user whether setup is complete
