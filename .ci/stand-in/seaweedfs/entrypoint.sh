#!/bin/sh
# As in the official image: every argument is weed's, and root becomes the user seaweed, to whom /data is given.
set -eu
if [ "$(id -u)" = 0 ]; then
    chown -R seaweed:seaweed /data
    exec setpriv --reuid=seaweed --regid=seaweed --init-groups -- "$0" "$@"
fi
exec /usr/bin/weed -logtostderr=true "$@"
