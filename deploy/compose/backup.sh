#!/bin/bash
# Takes a base backup when the newest is a day old, and lets go of what is older than 35 days. The archive of the log
# (WAL) that PostgreSQL writes beside it makes every moment since the oldest base backup one to go back to.
#   backup.sh          for ever, looking once a minute
#   backup.sh now      one base backup, now
set -euo pipefail
umask 077
at=/backups/base
keep_days=${KEEP_DAYS:-35}
export PGPASSFILE=/tmp/pgpass
printf '*:*:*:furthest_backup:%s\n' "$(</run/furthest/furthest_backup)" > "$PGPASSFILE"

take() {
    local name new
    name=$(date -u +%Y%m%dT%H%M%SZ) new=$at/.$name
    rm -rf "$at"/.[0-9]*
    pg_basebackup --host="${PGHOST:?}" --port="${PGPORT:-5432}" --username=furthest_backup --no-password \
        --pgdata="$new" --format=tar --gzip --checkpoint=fast --wal-method=fetch
    mv "$new" "$at/$name"
    echo "took $at/$name"
    tidy
}

tidy() {
    local oldest
    find "$at" -mindepth 1 -maxdepth 1 -type d -name '2*' -mtime +"$keep_days" -exec rm -rf {} +
    oldest=$(find "$at" -mindepth 1 -maxdepth 1 -type d -name '2*' | sort | head -n 1)
    # What was archived before the oldest base backup began helps nobody.
    find /backups/wal -type f ! -newer "$oldest/backup_manifest" -mtime +"$keep_days" -delete
}

is_old() { [ -z "$(find "$at" -mindepth 1 -maxdepth 1 -type d -name '2*' -mmin -1440 | head -n 1)" ]; }

mkdir -p "$at" /backups/wal
[ "${1:-}" = now ] && { take; exit; }
while true; do
    if is_old; then take || echo "the backup failed; it is tried again in a minute" >&2; fi
    touch /tmp/alive
    sleep 60 & wait $!
done
