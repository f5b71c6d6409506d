#!/usr/bin/env bash
# try.sh ARCHIVE: unpacks a released archive for this machine and does with its program what a team does: install, init,
# push, clone. SHA256SUMS lies beside it. Runs in bash on Linux and macOS and in Git Bash; needs git and git-lfs.
set -euo pipefail
archive=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
line=$(grep -F "  $(basename "$archive")" "$(dirname "$archive")/SHA256SUMS")
if command -v sha256sum >/dev/null; then sum=$(sha256sum <"$archive"); else sum=$(shasum -a 256 <"$archive"); fi
[ "${sum%% *}" = "${line%% *}" ] || { echo "the archive has not the hash of SHA256SUMS" >&2; exit 1; }

git lfs version >/dev/null 2>&1 || { sudo apt-get update -qq && sudo apt-get install -y -qq git-lfs; }
work="$(mktemp -d)/a team"
mkdir "$work"
cd "$work"
# Of the form C:/… on Windows, which its own programs understand.
if command -v cygpath >/dev/null; then work=$(cygpath -m "$work"); fi
export HOME="$work/home" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
mkdir home

mkdir unpacked
case "$archive" in
  *.zip) unzip -q "$archive" -d unpacked; program=$work/unpacked/lfs-depot.exe ;;
  *) tar -xf "$archive" -C unpacked; program=$(echo "$work"/unpacked/*/lfs-depot) ;;
esac

version=$("$program" --version 2>said)
echo "$version"
# Node warns there if this machine rejects the code cache, which was made on another.
if [ -s said ]; then cat said >&2; exit 1; fi
case $(basename "$archive") in
  lfs-depot-"${version%% *}"-*) ;;
  *) echo "that is another version than the archive's name" >&2; exit 1 ;;
esac
answer=$(printf '%s\n' '{"event":"init","operation":"upload","remote":"origin","concurrent":true}' \
  '{"event":"terminate"}' | "$program" agent)
[ "$answer" = '{}' ] || { echo "init was answered with $answer" >&2; exit 1; }

git config --global user.name t
git config --global user.email t@example.com
git config --global core.autocrlf false
git lfs install --skip-repo
"$program" install
git init -q --bare remote.git
git clone -q remote.git alice
mkdir store
(
  cd alice
  git lfs track '*.bin'
  "$program" init "$work/store"
  head -c 20000000 /dev/urandom >large.bin
  head -c 1000 /dev/urandom >small.bin
  git add .
  git commit -qm 'two objects'
  git push -q origin HEAD
)
git clone -q remote.git bob
cmp alice/large.bin bob/large.bin
cmp alice/small.bin bob/small.bin
echo "$(basename "$archive"): installed, pushed and cloned"
