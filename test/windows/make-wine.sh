#!/usr/bin/env bash
# Makes in the folder $1 (absolute) a Wine in which Node 26 for Windows runs, out of Debian's Wine 8, with a `C:` and
# `\\srv\lfs`. Takes some ten seconds; quick when it stands already. Whoever comes second waits.
set -euo pipefail
target=$1
debian=lib/x86_64-linux-gnu/wine
# All that the outcome depends on; with the path, because the registry of Windows holds absolute ones.
stamp="$target $(dpkg-query -W -f '${Version}' libwine) $(sha256sum <"$0")"

mkdir -p "$target"
exec 9>"$target/.lock"
flock 9
if [ "$(cat "$target/.made-from" 2>/dev/null)" = "$stamp" ]; then exit 0; fi
rm -rf "${target:?}"/{wine,prefix,home,shares,.made-from}

# Debian's Wine with one change. Its kernelbase.dll has VirtualAlloc2 without what V8 needs of it, and V8 looks for the
# function by name: under another name it takes the way of older Windows. Links would lead Wine back to its own folder, so
# what finds the rest (the loader and the Unix side) is copied.
mkdir -p "$target/wine/lib/wine" "$target/wine/$debian" "$target/wine/share"
cp -a /usr/lib/wine/wine64 /usr/lib/wine/wineserver64 "$target/wine/lib/wine/"
cp -a "/usr/$debian/x86_64-unix" "$target/wine/$debian/"
cp -rs "/usr/$debian/x86_64-windows" "$target/wine/$debian/"
ln -s /usr/share/wine "$target/wine/share/wine"
rm "$target/wine/$debian/x86_64-windows/kernelbase.dll"
sed 's/\x00VirtualAlloc2\x00/\x00VirtualAlloc1\x00/g' "/usr/$debian/x86_64-windows/kernelbase.dll" \
  >"$target/wine/$debian/x86_64-windows/kernelbase.dll"

export WINEPREFIX="$target/prefix" WINELOADER="$target/wine/lib/wine/wine64" WINESERVER="$target/wine/lib/wine/wineserver64"
# No Mono and no Gecko: their absence would be asked about in a window.
export WINEDLLOVERRIDES='mscoree,mshtml=' WINEDEBUG=-all HOME="$target/home"
unset DISPLAY
mkdir -p "$HOME"
wine() { timeout 300 "$WINELOADER" "$@" </dev/null >/dev/null 2>&1; }
wine wineboot -i
# As Debian's Wine is, it says that it is Windows 7, on which Node does not start.
wine winecfg -v win10
"$WINESERVER" -w
# All of its own system folder is in Debian's package as well, and found there: 600 MB.
find "$WINEPREFIX/drive_c/windows/system32" -maxdepth 1 -type f | while read -r file; do
  same="/usr/$debian/x86_64-windows/${file##*/}"
  if cmp -s "$file" "$same"; then ln -sf "$same" "$file"; fi
done

# \\srv\lfs; a test makes further shares beside it.
mkdir -p "$target/shares/lfs" "$WINEPREFIX/dosdevices/unc/srv"
ln -s "$target/shares/lfs" "$WINEPREFIX/dosdevices/unc/srv/lfs"

printf %s "$stamp" >"$target/.made-from"
