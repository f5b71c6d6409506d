# Sourced. The same project, with the .lfsconfig that was committed on Windows, on a Linux computer.
# shellcheck shell=bash

part_linux() {
  step 'A Linux computer, where the share is not mounted'
  at alice project
  run git checkout -q main
  at linux
  person carol
  run git lfs install --skip-repo >/dev/null
  run "$DEPOT" install >/dev/null
  ran "$DEPOT" trust //srv/lfs/store
  # Its commits come by whatever way; git has no need of the share for them.
  ran git clone -q "$SHARE/project.git" project
  check 'the message says so, with the command that mounts it' said 'mount'
  check 'no file is taken for an object' refused

  step 'Mounted, and git config says where: depot.mount'
  ran git config --global depot.mount "//srv/lfs=$SHARE"
  at linux project
  ran git checkout -f HEAD
  check 'the checkout works' worked
  ran git config --file .lfsconfig lfs.url
  check '.lfsconfig is the one from Windows' same_text "$SAID" 'depot:://srv/lfs/store'
  check 'every file is as on Windows' same_files . "$ALICE/project"
  content from-linux.bin 6000
  run git add .
  run git commit -qm 'From Linux'
  ran git push -q origin HEAD:main
  check 'a push works' worked
  ran "$DEPOT" doctor
  check 'doctor finds all well' worked
  at alice
  ran git clone -q //srv/lfs/project.git from-linux
  check 'Windows gets what Linux pushed' same_files from-linux "$COMPUTERS/linux/work/project"
}
