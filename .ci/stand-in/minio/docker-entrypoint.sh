#!/bin/sh
# As in the official image: every command is one of minio's, whether it begins with its name or not.
set -eu
[ "${1:-}" = minio ] || set -- minio "$@"
exec "$@"
