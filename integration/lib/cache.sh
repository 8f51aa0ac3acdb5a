# Owns the cache folder: where it is, and how a thing gets into it whole or not at all.

VALETKEY_CACHE=${VALETKEY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/valetkey-integration}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# cached NAME MAKER [ARG…]: runs `MAKER ARG… TEMPFOLDER` unless NAME is there, then renames.
# A run that was cut off leaves only a temp folder, which the next run deletes.
cached() {
  local name=$1 partial started
  shift
  if [[ -e $VALETKEY_CACHE/$name/.complete ]]; then
    return 0
  fi
  mkdir -p "$VALETKEY_CACHE"
  (
    exec 9>"$VALETKEY_CACHE/.$name.lock"
    flock 9
    [[ ! -e $VALETKEY_CACHE/$name/.complete ]] || exit 0
    started=$SECONDS
    say "making $name"
    partial=$VALETKEY_CACHE/.$name.partial
    rm -rf "$partial" "${VALETKEY_CACHE:?}/$name"
    mkdir "$partial"
    "$@" "$partial"
    touch "$partial/.complete"
    mv "$partial" "$VALETKEY_CACHE/$name"
    say "$name is ready ($((SECONDS - started)) s)"
  )
}
