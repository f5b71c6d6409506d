# Sourced. Windows computers, each a Wine with a C: of its own, a Linux one, which is this, and a file server with the share
# //srv/lfs, which is the folder $SHARE.
# shellcheck shell=bash

WINE="$ROOT/.tools/wine-e2e"
GIT_FOLDER='C:\Program Files\Git\bin'
WINDOWS_DEPOT='C:\Program Files\lfs-depot\lfs-depot.exe'
LINUX_DEPOT="$ROOT/dist/package/linux-x64/lfs-depot"

# computers FOLDER NAME...: fresh ones, with git and git-lfs on the PATH, and lfs-depot in a folder that is not on it; and
# the one of this system, which is called linux.
computers() {
  local folder=$1 name
  shift
  bash "$ROOT/test/windows/make-wine.sh" "$WINE" "$NODE_VERSION"
  export WINELOADER="$WINE/wine/lib/wine/wine64" WINESERVER="$WINE/wine/lib/wine/wineserver64"
  export WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
  unset DISPLAY XDG_CONFIG_HOME GIT_DIR GIT_WORK_TREE
  # Nobody is there to be asked.
  export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 WINEPATH=$GIT_FOLDER
  SHARE="$folder/share"
  COMPUTERS="$folder"
  mkdir -p "$SHARE"
  for name in "$@"; do
    cp -a "$WINE/prefix" "$folder/$name"
    rm -rf "$folder/$name/dosdevices/unc"
    mkdir -p "$folder/$name/dosdevices/unc/srv"
    ln -s "$SHARE" "$folder/$name/dosdevices/unc/srv/lfs"
    local programs="$folder/$name/drive_c/Program Files"
    mkdir -p "$programs/Git/share/git-core/templates" "$programs/lfs-depot" "$folder/$name/drive_c/work"
    cp -r "$ROOT/.tools/windows/bin" "$programs/Git/"
    cp "$ROOT/dist/package/win-x64/lfs-depot.exe" "$programs/lfs-depot/"
    # Switched on once for all programs, not for each: a program that came while Wine was going down was seen to fail.
    WINEPREFIX="$folder/$name" "$WINESERVER" -p
  done
}

# at NAME [FOLDER]: what follows happens on that computer, in a folder of its work folder.
at() {
  COMPUTER=$1
  if [ "$1" = linux ]; then
    WORK="$COMPUTERS/linux/work"
    DEPOT=$LINUX_DEPOT
  else
    export WINEPREFIX="$COMPUTERS/$1"
    WORK="$WINEPREFIX/drive_c/work"
    DEPOT=$WINDOWS_DEPOT
  fi
  # Where something failed before, the folder may be missing; the run goes on to say what else is wrong.
  mkdir -p "$WORK/${2:-}"
  cd "$WORK/${2:-}"
}

# work_of NAME: that folder.
work_of() { [ "$1" = linux ] && echo "$COMPUTERS/linux/work" || echo "$COMPUTERS/$1/drive_c/work"; }

# run PROGRAM ARGUMENT...: there. Input and output are files, since Node for Windows takes no Unix pipe from Wine.
run() {
  local status=0
  if [ "$COMPUTER" = linux ]; then
    HOME="$COMPUTERS/linux" timeout 300 "$@" </dev/null >"$COMPUTERS/output" 2>&1 || status=$?
  else
    timeout 300 "$WINELOADER" "$@" </dev/null >"$COMPUTERS/output" 2>&1 || status=$?
  fi
  # Lines of progress are overwritten on a terminal; here only what stays is wanted.
  sed -e 's/\r$//' -e 's/.*\r//' "$COMPUTERS/output"
  return "$status"
}

# Switches the Windows computers off.
shut_down() {
  local devices
  for devices in "$COMPUTERS"/*/dosdevices; do
    [ ! -d "$devices" ] || WINEPREFIX="${devices%/dosdevices}" timeout 20 "$WINESERVER" -k -w || true
  done
}
