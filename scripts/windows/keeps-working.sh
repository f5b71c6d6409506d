# Sourced. What people do while the store is away, with a second place, and with a cache.
# shellcheck shell=bash

# away NAME, back NAME: that folder of the share goes, and comes again.
away() { mv "$SHARE/$1" "$COMPUTERS/aside/"; }
back() { mv "$COMPUTERS/aside/$1" "$SHARE/"; }

# object NAME IN: where the object of a file of this folder stands below another.
object() {
  local oid
  oid=$(sha256sum <"$1" | cut -d' ' -f1)
  echo "$2/${oid:0:2}/${oid:2:2}/$oid"
}

part_offline() {
  step 'Days without the server: pushes keep the files on her computer'
  at alice
  ran git clone -q //srv/lfs/project.git train
  at alice train
  ran "$DEPOT" offline auto
  check 'offline auto works' worked
  away store
  run git checkout -q -b train
  content train.bin 3000000
  content 'zwei Züge.bin' 4000
  run git add .
  run git commit -qm 'On the train'
  ran git push -q origin train
  check 'the push works' worked
  check 'nothing was made on the share' test ! -e "$SHARE/store"
  ran "$DEPOT" status
  check 'status names the files' said 'train.bin'
  check 'and what they wait for' said 'wait for //srv/lfs/store'
  ran "$DEPOT" status --check
  check 'status --check refuses' refused
  step 'The server comes back'
  back store
  ran "$DEPOT" sync
  check 'sync delivers' said 'Delivered to //srv/lfs/store: 2 objects'
  check 'the store has them, each with the bytes of its name' test -e "$(object train.bin "$SHARE/store")"
  check 'no object is damaged' same_text "$(objects_in "$SHARE/store" | grep -c damaged)" 0
  ran "$DEPOT" sync
  check 'sync again does nothing' said 'Nothing waits'
  ran "$DEPOT" status --check
  check 'status --check agrees' worked
  ran "$DEPOT" status --for-prune
  check 'status --for-prune agrees' worked
  at bob
  run "$DEPOT" trust //srv/lfs/store >/dev/null
  ran git clone -q -b train //srv/lfs/project.git train
  check 'a clone elsewhere works' worked
  check 'and is complete' same_files train "$ALICE/train"
}

part_mirror() {
  step 'A mirror on another share'
  at alice train
  ran "$DEPOT" mirror add '\\srv\lfs\mirror'
  check 'mirror add works' worked
  ran git config --file .lfsdepot --get depot.mirror
  check 'the mirror is written with forward slashes' same_text "$SAID" '//srv/lfs/mirror'
  run git add .lfsdepot
  run git commit -qm 'A second copy'
  run git push -q origin train
  ran "$DEPOT" sync
  check 'sync fills it' said 'Mirror //srv/lfs/mirror: got'
  check 'with what the branch needs' test -e "$(object train.bin "$SHARE/mirror")"
  step 'The store goes away, and Bob clones'
  away store
  at bob
  run "$DEPOT" trust //srv/lfs/mirror >/dev/null
  ran git clone -q -b train //srv/lfs/project.git from-mirror
  check 'the clone works' worked
  check 'and is complete' same_files from-mirror "$ALICE/train"
  at alice train
  run "$DEPOT" offline off >/dev/null
  content tram.bin 5000
  run git add .
  run git commit -qm 'Without the store'
  ran git push -q origin train
  check 'a push without the store is refused' refused
  back store
  ran git push -q origin train
  check 'with it, it works' worked
  step 'An object is damaged in the store'
  local file
  file=$(object tram.bin "$SHARE/store")
  ran "$DEPOT" sync
  cp "$file" "$COMPUTERS/aside/tram"
  printf 'damage' | dd of="$file" bs=1 seek=1000 conv=notrunc status=none
  at bob
  ran git clone -q -b train //srv/lfs/project.git healed
  check 'the clone works' worked
  check 'and is complete' same_files healed "$ALICE/train"
  check 'the store is healed' cmp -s "$file" "$COMPUTERS/aside/tram"
}

part_cache() {
  step 'A cache for all clones of a computer'
  at bob
  run git config --global depot.cache C:/work/cache
  ran git clone -q -b train //srv/lfs/project.git fills
  check 'a clone fills it' worked
  away store
  away mirror
  ran git clone -q -b train //srv/lfs/project.git cached
  check 'the next needs no store' worked
  check 'and is complete' same_files cached fills
  back store
  back mirror
  run git config --global --unset depot.cache
}
