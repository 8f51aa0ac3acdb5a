# Owns packages of another Debian suite: fetched with an apt configuration of their own and
# unpacked into a folder. Nothing of it is installed, and the machine's apt is left as it is.

# The mirror that this machine's own apt uses (or VALETKEY_DEBIAN_MIRROR).
debian_mirror() {
  if [[ -n ${VALETKEY_DEBIAN_MIRROR:-} ]]; then
    printf '%s\n' "$VALETKEY_DEBIAN_MIRROR"
    return
  fi
  local release mirror=''
  release=$(. /etc/os-release && printf '%s %s' "$ID" "${VERSION_CODENAME:-}")
  if [[ ${release% *} == debian ]]; then
    # From the sources themselves: the lists may not have been fetched yet.
    mirror=$(apt-get update --print-uris | sed -n "s|^'\(.*\)/dists/${release#* }/InRelease'.*|\1|p")
  fi
  [[ -n $mirror ]] || die "no Debian mirror in this machine's apt sources: set VALETKEY_DEBIAN_MIRROR to the address of one"
  mirror=${mirror%%$'\n'*}
  printf '%s\n' "$mirror"
}

# suite_apt SUITE TOOL ARG…: apt-get or apt-cache, seeing that suite alone.
suite_apt() {
  local apt=$VALETKEY_CACHE/apt/$1 tool=$2
  shift 2
  "$tool" -q \
    -o Dir::State="$apt" -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" \
    -o Dir::Cache="$apt/cache" -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- \
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=3 \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o APT::Sandbox::User=root \
    -o APT::Update::Post-Invoke-Success= "$@"
}

suite_update() {
  local suite=$1 apt=$VALETKEY_CACHE/apt/$1 mirror
  mirror=$(debian_mirror)
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  : >"$apt/status"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$apt/sources.list"
  (
    exec 8>"$apt/lock"
    flock 8
    suite_apt "$suite" apt-get update >"$apt/update.log" 2>&1
  ) || die "apt-get update for Debian $suite failed: $(tail -n 3 "$apt/update.log")"
}

# suite_unpack SUITE PACKAGE… FOLDER: those packages (not what they depend on) below FOLDER/root,
# their versions in FOLDER/versions.
suite_unpack() {
  local suite=$1 folder=${*: -1} deb
  shift
  suite_update "$suite"
  mkdir -p "$folder/debs" "$folder/root"
  (cd "$folder/debs" && suite_apt "$suite" apt-get download "${@:1:$#-1}" >download.log 2>&1) ||
    die "downloading ${*:1:$#-1} of Debian $suite failed: $(tail -n 3 "$folder/debs/download.log")"
  for deb in "$folder"/debs/*.deb; do
    dpkg-deb -x "$deb" "$folder/root"
    dpkg-deb -W --showformat "\${Package} \${Version} ($suite)\n" "$deb" >>"$folder/versions"
  done
  rm -rf "$folder/debs"
}
