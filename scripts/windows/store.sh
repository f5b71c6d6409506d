# Sourced. A store on the share, and everything that people do with it.
# shellcheck shell=bash

# content NAME BYTES: a file of that size which is the same in every run, and compresses as badly as art does.
content() {
  head -c "$2" /dev/zero | openssl enc -aes-128-ctr -nosalt -pass "pass:$1" -md sha256 >"$1" 2>/dev/null
}

person() {
  run git config --global user.name "$1"
  run git config --global user.email "$1@example.com"
  run git config --global init.defaultBranch main
}

part_install() {
  step "Alice's computer. HOME is not set, git finds her profile by itself, and lfs-depot lies in a path with a space"
  at alice
  person alice
  ran cmd /c 'if defined HOME (echo HOME is set) else (echo HOME is not set)'
  check 'there is no HOME' said 'HOME is not set'
  ran git lfs install
  check 'git-lfs is installed' worked
  ran "$DEPOT" --version
  ran "$DEPOT" install
  check 'lfs-depot is installed' worked
  ran git config --global --get-regexp '^lfs'
  check 'the path is absolute, with forward slashes' said 'lfs.customtransfer.depot.path C:/Program Files/lfs-depot/lfs-depot.exe'
  ran "$DEPOT" install
  check 'installing again changes nothing' said 'installed already'
  # Bob's computer, the same way.
  at bob
  person bob
  run git lfs install >/dev/null
  run "$DEPOT" install >/dev/null
}

part_init_and_push() {
  step 'She makes the store, and the project that uses it'
  at alice
  ran git init -q --bare //srv/lfs/project.git
  ran git init -q project
  at alice project
  run git remote add origin //srv/lfs/project.git
  ran git lfs track '*.bin'
  ran "$DEPOT" init //srv/lfs/store
  check 'init works' worked
  ran git config --file .lfsconfig lfs.url
  check 'the location is written with forward slashes' same_text "$SAID" 'depot:://srv/lfs/store'
  cp .lfsconfig "$COMPUTERS/lfsconfig"
  ran "$DEPOT" init '\\srv\lfs\store'
  check 'with backslashes, the same store' worked
  check '.lfsconfig stays as it was' cmp -s .lfsconfig "$COMPUTERS/lfsconfig"

  step 'Files of 0 bytes, 1 KiB, 3 MB and 70 MB, with spaces and more than ASCII in their names'
  content empty.bin 0
  content icon.bin 1024
  content 'two words.bin' 3000000
  content 'größe 画像 ½.bin' 5000
  content "it's (1) & more.bin" 2000
  content large.bin 70000000
  ran git add .
  ran git -c core.quotePath=false lfs ls-files --size
  ran git commit -qm 'Six files'
  ran git push -q origin main
  check 'the push works' worked
  check 'the store has exactly these objects, each with the bytes of its name' \
    same_text "$(objects_in "$SHARE/store")" "$(objects_of .)"
  check 'nothing is left in tmp/' test -z "$(ls "$SHARE/store/tmp" 2>/dev/null)"

  step 'How git-lfs starts the program'
  rm -rf "$COMPUTERS/aside" && mkdir "$COMPUTERS/aside"
  GIT_TRACE=1 run git lfs push --all origin >"$COMPUTERS/trace" || true
  grep -a 'exec: sh ' "$COMPUTERS/trace" | sed 's/^[0-9:. ]*//; s/^/        /' | sort -u
  check 'by sh -c, with the path in quotes' grep -qaE "'-c' ''C:/Program Files/lfs-depot/lfs-depot.exe' agent'" "$COMPUTERS/trace"
  ran git lfs push --all origin
  check 'pushed once more, there is nothing to do' worked
}

part_clone() {
  step 'Bob, on a computer of his own. He has not allowed the share yet, so it is not opened'
  at bob
  ran git clone -q //srv/lfs/project.git untrusted
  check 'the clone stops half-way, with [2] and the command that helps' said '[2] will not open //srv/lfs/store'
  check 'the command is named' said 'lfs-depot trust //srv/lfs/store'
  step 'He allows it, typed in other case, and finishes that clone'
  ran "$DEPOT" trust //SRV/LFS/store
  check 'trust works' worked
  at bob untrusted
  ran git checkout -f HEAD
  check 'the clone is complete' same_files . "$ALICE/project"
  step 'From now on a plain clone is enough'
  at bob
  ran git clone -q //srv/lfs/project.git project
  check 'the clone works' worked
  check 'every file is as on the other computer' same_files project "$ALICE/project"
  at bob project
  ran "$DEPOT" doctor
  check 'doctor finds all well' worked
}

part_worktree() {
  step 'A linked worktree: a new file pushed from there, and on the other computer one fetched into another'
  at alice project
  ran git worktree add -q -b feature ../feature
  check 'the worktree has its files' same_files . ../feature
  at alice feature
  content feature.bin 40000
  ran git add .
  ran git commit -qm 'A feature'
  ran git push -q origin feature
  check 'the push works' worked
  check 'the store has one object more' same_text "$(objects_in "$SHARE/store")" "$(objects_of .)"
  at bob project
  ran git fetch -q
  ran git worktree add -q -b feature ../feature origin/feature
  check 'its files are there' same_files ../feature "$ALICE/feature"
  at bob feature
  rm -rf "$BOB/project/.git/lfs/objects"
  ran git lfs fetch origin feature
  check 'a fetch from there works' worked
  check 'all objects are there again' same_text \
    "$(objects_in "$BOB/project/.git/lfs/objects")" "$(objects_in "$SHARE/store")"
}

part_damage() {
  local oid file
  oid=$(sha256sum <"$ALICE/project/two words.bin" | cut -d' ' -f1)
  file=$SHARE/store/${oid:0:2}/${oid:2:2}/$oid
  step 'An object in the store is damaged, its size unchanged'
  cp "$file" "$COMPUTERS/aside/"
  printf 'damage' | dd of="$file" bs=1 seek=1000000 conv=notrunc status=none
  at bob
  ran git clone -q //srv/lfs/project.git damaged
  check 'it is reported with [5]' said '[5]'
  check 'the damaged one does not arrive' test ! -e 'damaged/two words.bin' -o -n "$(cd damaged 2>/dev/null && git -c core.fsmonitor= -c safe.directory='*' status --porcelain 2>/dev/null | grep 'two words')"
  step 'What the hint says mends it'
  at alice project
  local hint
  hint=$(sed -n 's/.*whoever has a good copy runs: //p' <<<"$SAID" | tail -1)
  # shellcheck disable=SC2086
  ran ${hint:-false}
  check 'the push works' worked
  check 'the object is right again' cmp -s "$file" "$COMPUTERS/aside/$oid"
  step 'Cut short, it is replaced by any push of who has it'
  truncate -s 1000 "$file"
  ran git lfs push --object-id origin "$oid"
  check 'the push works' worked
  check 'the object is right again' cmp -s "$file" "$COMPUTERS/aside/$oid"

  step 'The store is not there: its marker is missing, as when another disk is mounted'
  mv "$SHARE/store/lfs-depot.json" "$COMPUTERS/aside/"
  at bob
  ran git clone -q //srv/lfs/project.git unmounted
  check 'it is reported with [3]' said '[3]'
  at alice project
  content late.bin 1500
  run git add late.bin
  run git commit -qm 'While the store is away'
  ran git push -q origin main
  check 'nothing is pushed' refused
  ran "$DEPOT" doctor
  check 'doctor says so' refused
  mv "$COMPUTERS/aside/lfs-depot.json" "$SHARE/store/"
  ran git push -q origin main
  check 'with it, the push works' worked
  at bob unmounted
  ran git checkout -f HEAD
  check 'and the clone is finished' worked
}

part_both_at_once() {
  step 'Both push the same new object at the same moment'
  local name
  for name in alice bob; do
    at $name project
    run git pull -q >/dev/null || true
    run git checkout -q -b "from-$name"
    content shared.bin 20000000
    run git add .
    run git commit -qm 'The same file'
  done
  at alice project
  (timeout 300 "$WINELOADER" git push -q origin from-alice </dev/null >"$COMPUTERS/alice-push" 2>&1; echo $? >"$COMPUTERS/alice-status") &
  local alice=$!
  at bob project
  ran git push -q origin from-bob
  check 'his push works' worked
  wait "$alice" || true
  check 'her push works' test "$(cat "$COMPUTERS/alice-status")" = 0
  check 'the store is right' same_text "$(objects_in "$SHARE/store" | grep -c damaged)" 0
  check 'and has the object' grep -q "$(sha256sum <shared.bin | cut -d' ' -f1)" <(objects_in "$SHARE/store")
}

part_uninstall() {
  step 'uninstall takes back what install wrote'
  at bob
  ran "$DEPOT" uninstall
  check 'it works' worked
  ran git config --global --get-regexp 'depot'
  check 'nothing of lfs-depot is left but the trust' never_said customtransfer
}
