# Owns long-running processes: started with a log and a pid file, waited for by asking them,
# stopped by their own pid and never by name.

# start NAME STATE COMMAND…: in the background, in a session of its own, output to STATE/NAME.log.
start() {
  local name=$1 state=$2
  shift 2
  setsid "$@" </dev/null >"$state/$name.log" 2>&1 &
  printf '%s %s\n' "$!" "$(start_time "$!")" >"$state/$name.started"
}

# The moment the process began, in clock ticks since boot: with the pid it names one process for ever.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086
  set -- $stat
  printf '%s\n' "${20}"
}

running() {
  local pid ticks
  read -r pid ticks 2>/dev/null <"$1" && [[ -n $ticks && $(start_time "$pid" || true) == "$ticks" ]] && ! grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null
}

# wait_until SECONDS QUESTION…: asks every 50 ms.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

# await NAME STATE SECONDS QUESTION…: until the answer is yes; a process that died is an error at once.
await() {
  local name=$1 state=$2 end=$((SECONDS + $3))
  shift 3
  until "$@" >/dev/null 2>&1; do
    if ! running "$state/$name.started" || ((SECONDS >= end)); then
      tail -n 15 "$state/$name.log" >&2
      die "$name did not start"
    fi
    sleep 0.05
  done
}

stopped() { ! running "$1"; }

# stop NAME STATE [SIGNAL]: signals that process alone, and waits; after 20 s with KILL.
stop() {
  local record=$2/$1.started pid
  [[ -e $record ]] || return 0
  read -r pid _ <"$record"
  if running "$record"; then
    kill -s "${3:-TERM}" "$pid" 2>/dev/null || true
    wait_until 20 stopped "$record" || {
      kill -s KILL "$pid" 2>/dev/null || true
      wait_until 5 stopped "$record" || die "$1 (pid $pid) does not stop"
    }
  fi
  rm -f "$record"
}

# unmount_below FOLDER: everything still mounted there, deepest first.
unmount_below() {
  local point
  while read -r point; do
    umount --lazy "$point" || true
  done < <(cut -d ' ' -f 5 /proc/self/mountinfo | sed 's/\\040/ /g' | grep -F -- "$1/" | sort -r)
}
