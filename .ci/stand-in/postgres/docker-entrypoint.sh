#!/usr/bin/env bash
# The contract of the official image's entrypoint: make the cluster at the first start, then become the server.
set -Eeuo pipefail

fail() { echo "error: $*" >&2; exit 1; }

from_file() { # NAME DEFAULT: the variable NAME, or the contents of the file that NAME_FILE names, or DEFAULT
    local file=${1}_FILE
    [ -z "${!1:-}" ] || [ -z "${!file:-}" ] || fail "both $1 and $file are set; only one may be"
    if [ -n "${!file:-}" ]; then
        printf -v "$1" %s "$(<"${!file}")"
    elif [ -z "${!1:-}" ]; then
        printf -v "$1" %s "$2"
    fi
    export "${1?}"
    unset "$file"
}

make_cluster() {
    from_file POSTGRES_PASSWORD ''
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS ''
    local method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    [ -n "$POSTGRES_PASSWORD" ] || [ "$method" = trust ] ||
        fail "the superuser has no password: set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust, which lets everybody in"
    # initdb takes no empty password, which is right only where nobody is asked for one
    local password=() more=()
    [ -z "$POSTGRES_PASSWORD" ] || password=(--pwfile /dev/fd/3)
    eval "more=($POSTGRES_INITDB_ARGS)" # a line of shell words, quotes included
    initdb --username="$POSTGRES_USER" "${password[@]}" --auth-local=trust --auth-host="$method" "${more[@]}" \
        3< <(printf '%s\n' "$POSTGRES_PASSWORD")
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

run_scripts() { # against a server that can be reached only from in here
    local file sql=(psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password)
    pg_ctl --wait --options "$(printf '%q ' "${@:2}" -c listen_addresses=)" start
    if [ "$POSTGRES_DB" != postgres ]; then
        "${sql[@]}" --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
    sql+=(--dbname "$POSTGRES_DB")
    for file in /docker-entrypoint-initdb.d/*; do
        echo "$0: $file"
        case $file in
            *.sh)
                if [ -x "$file" ]; then
                    "$file"
                else
                    # shellcheck source=/dev/null
                    . "$file"
                fi
                ;;
            *.sql) "${sql[@]}" --file "$file" ;;
            *.sql.gz) gunzip --stdout "$file" | "${sql[@]}" ;;
            *) echo "$0: ignored, since it is no .sh, .sql or .sql.gz" ;;
        esac
    done
    pg_ctl --wait --mode fast stop
}

case ${1:-} in -*) set -- postgres "$@" ;; esac
case " $* " in *" --version "* | *" --help "*) exec "$@" ;; esac
if [ "${1:-}" = postgres ]; then
    mkdir -p "$PGDATA"
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
        exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
    fi
    chmod 700 "$PGDATA"
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        make_cluster
        shopt -s nullglob
        PGPASSWORD=$POSTGRES_PASSWORD run_scripts "$@"
        echo "PostgreSQL init process complete; ready for start up."
    fi
fi
exec "$@"
