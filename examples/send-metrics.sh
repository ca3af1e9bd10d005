#!/bin/sh
# Sends one metric of each type with nothing but curl. PI_DAEMON_URL names another daemon.
set -eu
url=${PI_DAEMON_URL:-http://127.0.0.1:9876}

send() {
  curl --fail-with-body -sS -X POST "$url/api/metrics" -H "Content-Type: application/json" -d "$1"
}

send '{"name":"backups_total","type":"counter","labels":{"host":"nas"}}'
send '{"name":"disk_free_ratio","type":"gauge","set":0.42}'
send '{"name":"backup_seconds","type":"histogram","observe":12.5,"buckets":[1,10,60,600]}'
send '{"name":"backup_size_bytes","type":"summary","observe":7300000}'

curl --fail-with-body -sS "$url/metrics?name[]=backups_total&name[]=disk_free_ratio&name[]=backup_seconds&name[]=backup_size_bytes" --globoff
