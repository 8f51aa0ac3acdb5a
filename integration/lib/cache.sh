# Owns the cache folder: where it is, and how a thing gets into it whole or not at all.

VALETKEY_CACHE=${VALETKEY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/valetkey-integration}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# What a thing is made by: a function, or the program and the files beside it. A changed recipe makes it again.
recipe() {
  if [[ $(type -t "$1") == function ]]; then
    declare -f "$1" && printf '%s\n' "$@"
  else
    cat "${1%/*}"/*
  fi | cksum
}

made() { [[ $(cat "$VALETKEY_CACHE/$name/.complete" 2>/dev/null) == "$recipe" ]]; }

# cached NAME MAKER [ARG…]: runs `MAKER ARG… TEMPFOLDER` unless NAME is there, then renames.
# A run that was cut off leaves only a temp folder, which the next run deletes.
cached() {
  local name=$1 partial started recipe
  shift
  recipe=$(recipe "$@")
  ! made || return 0
  mkdir -p "$VALETKEY_CACHE"
  (
    exec 9>"$VALETKEY_CACHE/.$name.lock"
    flock 9
    ! made || exit 0
    started=$SECONDS
    say "making $name"
    partial=$VALETKEY_CACHE/.$name.partial
    rm -rf "$partial"
    mkdir "$partial"
    "$@" "$partial"
    printf '%s\n' "$recipe" >"$partial/.complete"
    rm -rf "${VALETKEY_CACHE:?}/$name"
    mv "$partial" "$VALETKEY_CACHE/$name"
    say "$name is ready ($((SECONDS - started)) s)"
  )
}
