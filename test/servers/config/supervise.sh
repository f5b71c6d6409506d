# Runs a server until stdin closes, which it does when the test process ends in whatever way, even by kill -9: then all
# of this process group goes. Must lead a process group of its own.
trap : TERM
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
# A word of the shell's own about how the server ended would end the shell, when nobody is left to read it.
exec >/dev/null 2>&1
{
  trap : TERM
  cat <&3 >/dev/null
  kill -TERM 0
  sleep 5
  kill -KILL 0
} &
# The first wait ends with the server or with the TERM above, which the server may take some time to obey.
wait $server
wait $server
kill -KILL 0
