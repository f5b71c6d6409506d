# Sourced after setup.sh. debian_source PACKAGE...: Debian's own sources of these packages, downloaded into the current
# folder, from the mirrors that this computer has for its packages. The system's apt configuration stays as it is.
# shellcheck shell=bash

debian_source() {
  local state keyring=/usr/share/keyrings/debian-archive-keyring.gpg package version
  state=$(mktemp -d)
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/parts"
  # One line for each place that packages come from; those of other people than Debian have no sources of git.
  apt-get indextargets --format '$(ORIGIN)|$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    sed -n "s,^Debian|,deb-src [signed-by=$keyring] ,p" | sort -u >"$state/sources.list"
  cat >"$state/apt.conf" <<CONF
Dir::Etc::SourceList "$state/sources.list";
Dir::Etc::SourceParts "$state/parts";
Dir::State::Lists "$state/lists";
Dir::Cache "$state/cache";
APT::Sandbox::User "root";
CONF
  APT_CONFIG="$state/apt.conf" apt-get update -qq
  for package in "$@"; do
    # The newest first; a mirror's security updates were seen to name sources that it does not have.
    for version in $(APT_CONFIG="$state/apt.conf" apt-cache showsrc --only-source "$package" |
      sed -n 's/^Version: //p' | sort -ruV) none; do
      [ "$version" != none ] || { echo "debian_source: no source of $package is to be had" >&2; return 1; }
      rm -f "${package}_"*
      APT_CONFIG="$state/apt.conf" apt-get source -qq --download-only "$package=$version" 2>/dev/null && break
    done
  done
  rm -rf "$state"
}
