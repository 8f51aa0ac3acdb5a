# Owns how a test's sshd gets its port: a free one is asked for, and where somebody else was
# faster the next one is tried. Needs cache.sh and process.sh.

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

answers() {
  local banner
  exec 3<>"/dev/tcp/127.0.0.1/$1" && read -r -t 5 -u 3 banner && exec 3>&- && [[ $banner == SSH-2.0-* ]]
}

answered_or_died() { ! running "$1/sshd.started" || (answers "$2") 2>/dev/null; }

# start_sshd STATE CONFIGURE COMMAND…: `CONFIGURE PORT` goes before each try, and STATE/port is
# the one that it was.
start_sshd() {
  local state=$1 configure=$2 port attempt
  shift 2
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    "$configure" "$port"
    start sshd "$state" "$@"
    if wait_until 10 answered_or_died "$state" "$port" && running "$state/sshd.started"; then
      printf '%s\n' "$port" >"$state/port"
      return
    fi
    stop sshd "$state" KILL
  done
  die "sshd did not start: $(tail -n 5 "$state/sshd.log")"
}
