# Runs one throw-away PostgreSQL for the process at the other end of standard input, and removes every trace of it when
# that end is closed: the owner is done, or it was killed.
#
# usage: sh -c <this text> watchdog PARENT_DIRECTORY BIN_DIRECTORY [postgres arguments]
#
#   command (a line of stdin)   answer (a line of stdout)
#   -                           directory PATH
#   init PASSWORD               initialized STATUS
#   start PORT                  started PID; later "gone", when the last process of the server has ended
#   reap                        exited STATUS
#   signal NAME                 -

# Ctrl+C reaches the whole terminal; the owner decides what it means. Answers may find nobody left to read them.
trap '' HUP INT QUIT TERM PIPE
umask 077
directory=$(mktemp -d "$1/efpooling-postgres.XXXXXX") || exit 1
bin=$2
shift 2
postmaster=
echo "directory $directory"

while read -r command argument; do
    case $command in
    init)
        echo "$argument" >"$directory/password"
        "$bin/initdb" -D "$directory/data" -U postgres --auth=scram-sha-256 --pwfile="$directory/password" \
            --encoding=UTF8 --locale=C --no-sync </dev/null >"$directory/log" 2>&1
        status=$?
        rm -f "$directory/password"
        echo "initialized $status"
        ;;
    start)
        # All processes of the server inherit the writing end of the fifo: it ends with the last of them.
        rm -f "$directory/alive"
        mkfifo "$directory/alive"
        "$bin/postgres" -D "$directory/data" -p "$argument" "$@" \
            </dev/null >"$directory/log" 2>&1 4>"$directory/alive" &
        postmaster=$!
        { cat; echo gone; } <"$directory/alive" &
        echo "started $postmaster"
        ;;
    reap)
        wait "$postmaster"
        echo "exited $?"
        postmaster=
        ;;
    signal)
        [ -z "$postmaster" ] || kill -s "$argument" "$postmaster" 2>/dev/null
        ;;
    esac
done

[ -z "$postmaster" ] || kill -s QUIT "$postmaster" 2>/dev/null
wait
rm -rf "$directory"
