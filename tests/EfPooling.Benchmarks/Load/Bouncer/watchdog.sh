# Runs one throw-away PgBouncer for the process at the other end of standard input, and removes every trace of it when
# that end is closed: the owner is done, or it was killed.
#
# usage: sh -c <this text> watchdog PARENT_DIRECTORY PGBOUNCER
#
# Two lines of stdin are the files pgbouncer.ini and users.txt, each in base64. The answer is a line: PID DIRECTORY

# Ctrl+C reaches the whole terminal; the owner decides what it means.
trap '' HUP INT QUIT TERM PIPE
umask 077
directory=$(mktemp -d "$1/efpooling-pgbouncer.XXXXXX") || exit 1
cd "$directory" || exit 1
read -r settings
read -r users
printf %s "$settings" | base64 -d >pgbouncer.ini
printf %s "$users" | base64 -d >users.txt
"$2" -q pgbouncer.ini </dev/null >output 2>&1 &
bouncer=$!
echo "$bouncer $directory"

read -r _

# Hard, because later versions wait for their clients when asked kindly.
kill -s KILL "$bouncer" 2>/dev/null
wait
cd / && rm -rf "$directory"
