#!/usr/bin/env bash
# PostgreSQL's past, in /archive: a folder for each server that ever was (a restored one is another), named as its slot.
#   receive              its write-ahead log, while it is written, into <slot>/wal
#   base                 a copy of the whole server into <slot>/base/<UTC time>; prints <slot>/base/<UTC time>
#   restore BASE [TIME]  that copy and the log after it into an empty data directory, as it was at TIME, else at the end
set -euo pipefail
PGPASSWORD=$(cat /run/secrets/archive.password)
export PGPASSWORD PGHOST=postgres PGUSER=archive
now() { date -u +%Y%m%dt%H%M%Sz; }

# The server's slot; it keeps the log until it was received.
slot() {
    psql -XAtq -d postgres -v ON_ERROR_STOP=1 \
        -c "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'archive\_%' ORDER BY 1 DESC LIMIT 1"
}

receive() {
    local slot
    slot=$(slot)
    if [ -z "$slot" ]; then
        slot=archive_$(now)
        pg_receivewal --create-slot --slot "$slot"
    fi
    mkdir -p "/archive/$slot/wal" "/archive/$slot/base"
    exec pg_receivewal --slot "$slot" --directory "/archive/$slot/wal" --synchronous
}

base() {
    local to
    to=$(slot)/base/$(now)
    # without the log: what is written meanwhile is being received
    pg_basebackup --pgdata "/archive/$to.part" --format tar --gzip --checkpoint fast --wal-method none
    mv "/archive/$to.part" "/archive/$to"
    echo "$to"
}

restore() {
    local from=/archive/$1 until=${2:-} data=/var/lib/postgresql/data
    if [ -n "$(ls -A "$data")" ]; then
        echo "$data is not empty: a restore overwrites nothing (docs/backup.md)" >&2
        exit 1
    fi
    tar -xzf "$from/base.tar.gz" -C "$data"
    mkdir "$data/restored-wal"
    cp "${from%/base/*}"/wal/* "$data/restored-wal/"
    for part in "$data"/restored-wal/*.partial; do
        [ ! -e "$part" ] || mv "$part" "${part%.partial}"
    done
    local settings=$data/postgresql.auto.conf
    sed -i '/^re\(store\|covery\)_/d' "$settings" # of an earlier restore
    {
        echo "restore_command = 'cp restored-wal/%f %p'"
        echo "recovery_end_command = 'rm -rf restored-wal'"
        [ -z "$until" ] || echo "recovery_target_time = '$until'"
        echo "recovery_target_action = 'promote'"
    } >>"$settings"
    touch "$data/recovery.signal"
    chown -R postgres:postgres "$data"
    chmod 700 "$data"
}

"$@"
