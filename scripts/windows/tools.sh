# Sourced after setup.sh. windows_tools: makes .tools/windows/bin with git.exe, git-lfs.exe and a sh.exe that can do what
# these two ask of it. git and git-lfs are the real ones, from Debian's sources, with Debian's cross compilers; the
# downloads of their projects are no Debian package. About three minutes, once.
# shellcheck shell=bash
. "$ROOT/scripts/windows/debian-sources.sh"

windows_tools() {
  local tools="$ROOT/.tools/windows" state
  state=$(cat "$ROOT"/scripts/windows/{tools.sh,debian-sources.sh,sh.c} | sha256sum)
  cmp -s "$tools/state" - <<<"$state" && return
  echo "setup: building git.exe and git-lfs.exe from Debian's sources into .tools/windows"
  local work=$tools/work
  rm -rf "$tools"
  mkdir -p "$tools/bin" "$work/sources"
  from_debian dpkg-dev make patch gcc-mingw-w64-x86-64-win32 libz-mingw-w64-dev golang-any ||
    { echo "windows_tools: needs a Debian with root" >&2; return 1; }
  (cd "$work/sources" && debian_source git git-lfs golang-golang-x-sys)
  build_git_lfs "$work" "$tools/bin"
  build_git "$work" "$tools/bin"
  x86_64-w64-mingw32-gcc -municode -O1 -Wall -Werror -static -o "$tools/bin/sh.exe" "$ROOT/scripts/windows/sh.c"
  (cd "$work/sources" && ls ./*.dsc) | sed 's,^\./\(.*\)\.dsc$,\1,' >"$tools/sources"
  rm -rf "$work"
  echo "$state" >"$tools/state"
}

# Go compiles for Windows as it is. The libraries are Debian's packages, which leave out the files for Windows.
build_git_lfs() {
  local work=$1 out=$2 go=$1/go/src
  # What its package is built with on Linux, and what only the files for Windows ask for.
  # shellcheck disable=SC2046
  from_debian $(grep -ohE '\bgolang-[a-z0-9.-]+-dev\b' "$work"/sources/git-lfs_*.dsc | sort -u) \
    golang-github-avast-retry-go-dev golang-github-inconshreveable-mousetrap-dev
  mkdir -p "$go"
  cp -a /usr/share/gocode/src/. "$go/"
  local lfs=$go/github.com/git-lfs/git-lfs
  rm -rf "$lfs"
  # Its packages import each other with the major version in the path.
  local major
  major=$(sed -n 's/^Version: \([0-9]*\)\..*/\1/p' "$work"/sources/git-lfs_*.dsc)
  [ "$major" -lt 3 ] || lfs=$lfs/v$major
  mkdir -p "$lfs" "$work/x-sys"
  tar xf "$work"/sources/git-lfs_*.orig.tar.* -C "$lfs" --strip-components=1
  tar xf "$work"/sources/git-lfs_*.debian.tar.* -C "$work"
  local name
  while read -r name; do patch -d "$lfs" -p1 -s <"$work/debian/patches/$name"; done \
    < <(grep -v '^#' "$work/debian/patches/series")
  tar xf "$work"/sources/golang-golang-x-sys_*.orig.tar.* -C "$work/x-sys" --strip-components=1
  cp -a "$work/x-sys/windows" "$go/golang.org/x/sys/"
  # Logins by Kerberos to HTTP servers, which need a library for Windows that Debian has not.
  cat >"$go/github.com/dpotapov/go-spnego/spnego_windows.go" <<'GO'
package spnego

import (
	"errors"
	"net/http"
)

type none struct{}

func New() Provider                                   { return none{} }
func (none) SetSPNEGOHeader(req *http.Request) error { return errors.New("built without Kerberos") }
GO
  (cd "$lfs" && env GOPATH="$work/go" GO111MODULE=off GOFLAGS= GOCACHE="$work/go-cache" GOOS=windows GOARCH=amd64 \
    CGO_ENABLED=0 go build -o "$out/git-lfs.exe" .)
  chmod -R u+w "$work/go"
}

# Without what talks to networks and people: the remotes of these tests are folders.
build_git() {
  local work=$1 out=$2 system=/usr/x86_64-w64-mingw32 name
  mkdir -p "$work/include" "$work/git"
  # Windows does not care about the case of a header's name, and its people do not either.
  ln -s "$system/include/ntsecapi.h" "$work/include/NTSecAPI.h"
  ln -s "$system/include/psapi.h" "$work/include/Psapi.h"
  ln -s "$system/include/tlhelp32.h" "$work/include/tlHelp32.h"
  tar xf "$work"/sources/git_*.orig.tar.* -C "$work/git" --strip-components=1
  make -s -C "$work/git" -j"$(nproc)" uname_S=MINGW uname_M=x86_64 uname_R= MSYSTEM=MINGW64 prefix= \
    CC="x86_64-w64-mingw32-gcc -I$work/include" AR=x86_64-w64-mingw32-ar RC="x86_64-w64-mingw32-windres -O coff" \
    STRIP=x86_64-w64-mingw32-strip \
    NO_CURL=1 NO_EXPAT=1 NO_OPENSSL=1 NO_ICONV=1 NO_GETTEXT=1 NO_PERL=1 NO_PYTHON=1 NO_TCLTK=1 NO_LIBPCRE=1 \
    USE_LIBPCRE= USE_LIBPCRE2= USE_NED_ALLOCATOR= OPENSSL_SHA1= OPENSSL_SHA256= BLK_SHA1=1 BLK_SHA256=1 \
    NO_FSMONITOR=1 FSMONITOR_DAEMON_BACKEND= FSMONITOR_OS_SETTINGS= git.exe >"$work/git.log" 2>&1 ||
    { tail -20 "$work/git.log" >&2; return 1; }
  x86_64-w64-mingw32-strip "$work/git/git.exe"
  for name in git git-upload-pack git-receive-pack; do cp "$work/git/git.exe" "$out/$name.exe"; done
  cp "$system/lib/zlib1.dll" "$out/"
  # What the compiler's own runtime needs of it.
  for name in $(x86_64-w64-mingw32-objdump -p "$out/git.exe" | sed -n 's/.*DLL Name: \(lib.*\.dll\)/\1/p'); do
    cp "$(x86_64-w64-mingw32-gcc -print-file-name="$name")" "$out/"
  done
}
