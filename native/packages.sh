#!/bin/sh
# Installs, as root where apt-get exists, the system packages whose command is missing; elsewhere names them and goes on.
# usage: packages.sh COMMAND:PACKAGE…   (COMMAND may be an absolute path to a file)
missing=
for pair in "$@"; do
  command=${pair%%:*} package=${pair#*:}
  case $command in
    /*) [ -e "$command" ] || missing="$missing $package" ;;
    *) command -v "$command" >/dev/null 2>&1 || missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of package names, split on purpose
  apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null; } ||
    echo "could not install:$missing" >&2
else
  echo "missing, install by hand:$missing" >&2
fi
exit 0
