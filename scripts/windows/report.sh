# Sourced. What a run prints: numbered steps, the commands with what they said, and what was found right or wrong.
# shellcheck shell=bash

STEP=0
FAILURES=0
CHECKS=0

step() { STEP=$((STEP + 1)); printf '\n### %d. %s\n\n' "$STEP" "$*"; }

# ran PROGRAM ARGUMENT...: prints the command and what it says; its status is in STATUS, its words in SAID.
ran() {
  local place=${PWD#"$WORK"} word
  if [ "$COMPUTER" = linux ]; then
    printf '    linux ~/work%s$ ' "$place"
  else
    place=C:/work$place
    printf '    %s %s> ' "$COMPUTER" "${place//\//\\}"
  fi
  word=${1##*[\\/]}
  printf '%s' "${word%.exe}"
  for word in "${@:2}"; do
    case $word in *[!A-Za-z0-9_@%+=:,./~\\-]*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  printf '\n'
  STATUS=0
  SAID=$(run "$@") || STATUS=$?
  [ -z "$SAID" ] || sed 's/^/        /; /^ *$/d' <<<"$SAID"
  [ "$STATUS" = 0 ] || printf '        (exit %s)\n' "$STATUS"
}

# check WHAT COMMAND...: is WHAT so?
check() {
  CHECKS=$((CHECKS + 1))
  if "${@:2}"; then printf -- '    - right: %s\n' "$1"; return; fi
  FAILURES=$((FAILURES + 1))
  printf -- '    - WRONG: %s\n' "$1"
}

worked() { [ "$STATUS" = 0 ]; }
refused() { [ "$STATUS" != 0 ]; }
said() { grep -qF -- "$1" <<<"$SAID"; }
never_said() { ! said "$1"; }

# The objects below a folder as "OID SIZE", each hashed; a file whose name is not its hash is told apart.
objects_in() {
  [ -d "$1" ] || return 0
  local file name hash
  find "$1" -type f -path '*/??/??/*' | while IFS= read -r file; do
    name=${file##*/}
    hash=$(sha256sum <"$file")
    hash=${hash%% *}
    [ "$file" = "$1/${name:0:2}/${name:2:2}/$name" ] && [ "$name" = "$hash" ] || name="misplaced-or-damaged:$name"
    printf '%s %s\n' "$name" "$(stat -c %s "$file")"
  done | sort
}

# objects_of FOLDER: the LFS objects that the files of a worktree should have made; empty files have none.
objects_of() {
  find "$1" -maxdepth 1 -name '*.bin' -size +0 | while IFS= read -r file; do
    printf '%s %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)" "$(stat -c %s "$file")"
  done | sort -u
}

same_text() { [ -n "$1" ] && [ "$1" = "$2" ] || { diff <(echo "$1") <(echo "$2") | sed 's/^/      /'; return 1; }; }

# same_files FOLDER FOLDER: all files of the worktrees, byte by byte.
same_files() { diff -r --exclude=.git "$1" "$2" >"$COMPUTERS/diff" || { sed 's/^/      /' "$COMPUTERS/diff"; return 1; }; }

# What took part, and in which version.
versions() {
  at linux
  local linux_git linux_lfs
  linux_git=$(run git version)
  linux_lfs=$(run git lfs version)
  at alice
  cat <<TEXT
- lfs-depot $(run "$DEPOT" --version), \`scripts/package win-x64\`
- $(run git version), $(run git lfs version), built by \`scripts/windows/tools.sh\` from Debian's sources: $(paste -sd' ' "$ROOT/.tools/windows/sources")
- $(run cmd /c ver | tail -1), which is $("$WINELOADER" --version); sh.exe is \`scripts/windows/sh.c\`
- on the Linux computer $linux_git, $linux_lfs
TEXT
}
