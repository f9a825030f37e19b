#!/bin/sh
# What the stock image of Postgres does with its variables, as far as workflows use them.
set -eu
: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
: "${PGDATA:=/var/lib/postgresql/data}"
export PGDATA

as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }

if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
  echo 'Error: POSTGRES_PASSWORD is not set, and without it nobody could log in.' >&2
  exit 1
fi
mkdir -p "$PGDATA" /var/run/postgresql
chown postgres: "$PGDATA" /var/run/postgresql
printf '%s\n' "${POSTGRES_PASSWORD:-unused}" >/tmp/password
chown postgres: /tmp/password
as_postgres initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync
rm /tmp/password
# From other machines; within the container everybody is trusted, as in the stock image.
echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
if [ "$POSTGRES_DB" != postgres ]; then
  printf 'CREATE DATABASE "%s";\n' "$POSTGRES_DB" | as_postgres postgres --single -j postgres
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -c listen_addresses='*' \
  -c unix_socket_directories=/var/run/postgresql -c fsync=off "$@"
