#!/bin/bash
# Takes one service's database back to a moment, from the base backups and the archive of the log (WAL).
#   restore.sh SERVICE [MOMENT]     such as: restore.sh referrals "2026-11-23 05:00:00+00"; without a moment: the end
# The service must be stopped. What was live is kept aside under another name. Nothing is changed where a step fails.
set -euo pipefail
umask 077
service=${1:?Which service? restore.sh SERVICE [MOMENT]} moment=${2:-}
scratch=/var/lib/postgresql/scratch
export PGHOST=${PGHOST:-postgres} PGUSER=postgres PGPASSFILE=/tmp/pgpass PGOPTIONS='-c client_min_messages=warning'
printf '*:*:*:postgres:%s\n' "$(< /run/furthest/password)" > "$PGPASSFILE"

fail() { echo "restore: $*" >&2; exit 1; }
ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="${2:-postgres}" --command="$1"; }

check() {
    [[ $service =~ ^(referrals|matching|notifications|grants|reporting)$ ]] || fail "there is no service $service."
    [ -z "$moment" ] || moment=$(date --utc --date="$moment" '+%Y-%m-%d %H:%M:%S.%6N+00') || fail "'$2' is no moment."
    [ "$(ask "select count(*) from pg_stat_activity where datname = '$service' and usename = '${service}_app'")" = 0 ] ||
        fail "$service runs. Stop it first: docker compose stop $service"
}

# The newest base backup that was whole by then.
base() {
    local found='' each
    for each in /backups/base/2*; do
        [ -f "$each/backup_manifest" ] || continue
        [ -n "$moment" ] && [ "$(stat -c %Y "$each/backup_manifest")" -ge "$(date --date="$moment" +%s)" ] && continue
        found=$each
    done
    [ -n "$found" ] || fail "no base backup is older than that."
    echo "$found"
}

# All that was committed by now is in the archive; a commit behind the moment marks where it ends.
archive() {
    local last
    ask 'select pg_current_xact_id()' > /dev/null
    last=$(ask 'select pg_walfile_name(pg_switch_wal())')
    for _ in $(seq 120); do
        [ -f "/backups/wal/$last" ] && return
        sleep 0.5
    done
    fail "$last did not come to the archive within a minute. See: docs/ops/disk-full.md"
}

replay() {
    rm -rf "$scratch" && mkdir "$scratch"
    tar -xzf "$1/base.tar.gz" -C "$scratch"
    echo 'local all all trust' > "$scratch/pg_hba.conf"
    cat > "$scratch/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '/tmp'
archive_mode = off
hot_standby = off
fsync = off
restore_command = 'cp /backups/wal/%f %p'
recovery_target_action = promote
${moment:+recovery_target_time = '$moment'}
CONF
    : > "$scratch/postgresql.auto.conf"
    touch "$scratch/recovery.signal"
    pg_ctl start --silent --no-wait --pgdata="$scratch" --log=/tmp/scratch.log > /dev/null
    sleep 0.5
    until pg_isready --quiet --host=/tmp; do  # it takes nobody before all is replayed
        pg_ctl status --pgdata="$scratch" > /dev/null ||
            { tail -5 /tmp/scratch.log >&2; fail "the backup cannot be replayed up to then."; }
        sleep 0.2
    done
}

put() {
    local new="${service}_restored" aside
    aside="${service}_before_$(date --utc +%Y%m%dT%H%M%S)"
    ask "drop database if exists $new"
    ask "create database $new owner ${service}_owner"
    pg_dump --host=/tmp --format=custom --dbname="$service" | pg_restore --exit-on-error --dbname="$new"
    ask "revoke all on database $new from public"
    ask "grant connect on database $new to ${service}_app, ${service}_backup"
    ask 'insert into restored (at) values (now())' "$new"
    [ "$service" = referrals ] && ask 'insert into contact_hold (held_at) values (now())' "$new"
    ask "select pg_terminate_backend(pid) from pg_stat_activity where datname in ('$service', '$new')" > /dev/null
    ask "alter database $service rename to $aside; alter database $new rename to $service"
    echo "$service is as it was ${moment:-at the end of the archive}. What was live is kept as $aside."
}

away() {
    [ -f "$scratch/postmaster.pid" ] && pg_ctl stop --silent --mode=immediate --pgdata="$scratch" > /dev/null
    rm -rf "$scratch"
}

check "$@"
from=$(base)
archive
trap away EXIT
replay "$from"
put
