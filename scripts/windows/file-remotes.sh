# Sourced. A git remote that is itself on a share: the objects lie beside it, in its lfs/objects.
# shellcheck shell=bash

part_file_remotes() {
  local remote=$SHARE/art.git objects spelling folder number=0
  step "A remote on the share, and no store. git-lfs by itself cannot"
  at alice
  ran git init -q --bare //srv/lfs/art.git
  ran git init -q art
  at alice art
  ran git remote add origin //srv/lfs/art.git
  ran git lfs track '*.bin'
  content big.bin 5000000
  content 'with space.bin' 3000
  run git add .
  run git commit -qm 'Two files'
  ran git lfs push origin main
  check 'it fails' refused

  step 'lfs-depot does, once it is told to and the share is trusted'
  ran "$DEPOT" install --file-remotes
  check 'it is installed for them' worked
  ran git push -q origin main
  check 'the share is not opened before it is trusted' said '[2] will not open //srv/lfs/art.git'
  ran "$DEPOT" trust //srv/lfs
  ran git push -q origin main
  check 'the push works' worked
  objects=$(objects_in "$remote/lfs/objects")
  check "the objects are in the remote's lfs/objects" same_text "$objects" "$(objects_of .)"

  step 'Bob clones it, in every spelling'
  at bob
  run "$DEPOT" install --file-remotes >/dev/null
  run "$DEPOT" trust //srv/lfs >/dev/null
  ln -sfn "$SHARE" "$WINEPREFIX/dosdevices/y:"
  for spelling in //srv/lfs/art.git '\\srv\lfs\art.git' //SRV/lfs/art.git file://srv/lfs/art.git file:////srv/lfs/art.git \
    file://///srv/lfs/art.git Y:/art.git 'Y:\art.git'; do
    number=$((number + 1))
    folder=art-$number
    ran git clone -q "$spelling" "$folder"
    check 'it works, and every file is right' same_files "$folder" "$ALICE/art"
  done
  at bob art-2
  content from-bob.bin 7000
  run git add .
  run git commit -qm "Bob's"
  ran git push -q origin main
  check 'a push to \\srv\lfs\art.git works' worked
  check 'its object is there' same_text "$(objects_in "$remote/lfs/objects")" "$(objects_of .)"
  at bob art-4
  run git pull -q
  content again.bin 9000
  run git add .
  run git commit -qm 'Again'
  ran git push -q origin main
  check 'and to file://srv/lfs/art.git' same_text "$(objects_in "$remote/lfs/objects")" "$(objects_of .)"

  step "A remote in a folder of this computer, which git-lfs can do by itself, still works"
  ran git init -q --bare 'C:/work/local.git'
  ran git push -q C:/work/local.git main
  check 'the push works' worked
  check 'its objects are there' same_text "$(objects_in "$BOB/local.git/lfs/objects")" "$(objects_of .)"

  step "git-lfs's own adapter, where it works (file:////srv/lfs/art.git), finds the same objects, and we find its"
  at bob
  ran "$DEPOT" uninstall
  ran git clone -q file:////srv/lfs/art.git by-git-lfs
  check 'every file is right' same_files by-git-lfs art-4
  at bob by-git-lfs
  content by-git-lfs.bin 11000
  run git add .
  run git commit -qm 'By git-lfs itself'
  ran git push -q origin main
  check 'it pushes' worked
  at alice art
  ran git pull -q origin main
  check 'what it pushed arrives through lfs-depot' same_files . "$BOB/by-git-lfs"
}
