#!/bin/sh
# Keeps a note and finds it again with nothing but curl, then as a block for a prompt. The daemon's socket needs no
# token; PI_DAEMON_SOCKET names another one.
set -eu
socket=${PI_DAEMON_SOCKET:-$HOME/.pi/daemon/data/daemon.sock}

call() {
  curl --fail-with-body -sS --unix-socket "$socket" -H "Content-Type: application/json" "http://localhost/api/rag/$@"
}

call collections/notes/documents/blue-bus -X PUT -d '{"text":"The blue bus has 41 seats.","tags":["bus"]}'
echo
call search -d '{"q":"seats of the blue bus","k":1}'
echo
call context -d '{"q":"seats of the blue bus","budget":200}'
echo
