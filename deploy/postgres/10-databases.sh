#!/usr/bin/env bash
# First start of the server: a database and a role for each service, closed to every other.
set -euo pipefail
run() { psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres "$@"; }

for name in intake dedup snapshot buildings export portal; do
    run -v role="$name" -v database="tabian_$name" -v file="/run/secrets/$name.password" <<'SQL'
\set password `cat :file`
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"database" OWNER :"role" TEMPLATE template0;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
done
# who receives the log and copies the whole (archive.sh); copies everything, writes nothing
run -v file=/run/secrets/archive.password <<'SQL'
\set password `cat :file`
CREATE ROLE archive LOGIN REPLICATION PASSWORD :'password';
GRANT CONNECT ON DATABASE postgres TO archive;
SQL
echo "host replication archive all scram-sha-256" >>"$PGDATA/pg_hba.conf"
run -c 'REVOKE ALL ON DATABASE postgres FROM PUBLIC' -c 'REVOKE ALL ON DATABASE template1 FROM PUBLIC'
