# Sourced: a private apt for another Debian suite. Its mirror is the system's own; it only ever downloads, never installs.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The first Debian mirror of the system's sources, in either format.
mirror() {
  awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources 2>/dev/null | grep . ||
    awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^(https?|file):.*debian\/?$/) { print $i; exit } }' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | grep . ||
    { echo "no Debian mirror among the sources of apt" >&2; return 1; }
}

# private_apt STATE_DIR SUITE: defines the array `apt_options` and fetches the suite's lists.
private_apt() {
  [ -e "$keyring" ] || { echo "missing $keyring (package debian-archive-keyring)" >&2; return 1; }
  mkdir -p "$1"/lists/partial "$1"/cache/archives/partial
  echo "deb [signed-by=$keyring] $(mirror) $2 main" > "$1"/sources.list
  apt_options=(-o "Dir::State::Lists=$1/lists" -o "Dir::Etc::SourceList=$1/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::Cache=$1/cache" -o Debug::NoLocking=1 -o APT::Architecture=amd64 -o APT::Sandbox::User=root)
  apt-get "${apt_options[@]}" update -qq
}
