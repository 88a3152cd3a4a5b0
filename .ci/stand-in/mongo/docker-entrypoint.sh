#!/bin/sh
# The arguments are those of mongod, which FerretDB does not know.
export FERRETDB_SETUP_USERNAME="$MONGO_INITDB_ROOT_USERNAME" FERRETDB_SETUP_PASSWORD="$MONGO_INITDB_ROOT_PASSWORD"
exec ferretdb --handler=sqlite --sqlite-url=file:/data/db/ --state-dir=/data/db --listen-addr=:27017 --debug-addr=- \
    --telemetry=disable --log-level=warn --test-enable-new-auth --setup-database=admin
