#!/bin/sh
# Starts oomscope and, when it dies in a way no program can prevent (SIGKILL by the OOM killer, abort, segmentation
# fault), gives the terminal back: cooked mode, normal screen, cursor. Node itself restores it in every other case.
# Installed beside main.js; OOMSCOPE_MAIN names another program (tests).
here=$(dirname "$(readlink -f "$0")")
saved=
[ -t 0 ] && saved=$(stty -g 2>/dev/null)

# `run` ends as its command does, also with 137: then it says so first, and nothing here is broken.
orderly=
trap 'orderly=yes' USR1
export OOMSCOPE_LAUNCHER=$$

# In the background, so that a signal to this shell reaches the program; through fd 3 because sh gives it /dev/null.
exec 3<&0
"${OOMSCOPE_NODE:-node}" "${OOMSCOPE_MAIN:-$here/main.js}" "$@" <&3 3<&- &
child=$!
exec 3<&-
for name in HUP INT QUIT TERM USR2; do
  # shellcheck disable=SC2064  # expanded now: the child is known
  trap "kill -$name $child 2>/dev/null" "$name"
done
wait "$child"
code=$?
# A trap interrupts wait; the code of the program is that of the last one.
while kill -0 "$child" 2>/dev/null; do
  wait "$child"
  code=$?
done

[ -n "$orderly" ] && exit "$code"
case $code in
  # 128 + ILL, ABRT, BUS, FPE, KILL, SEGV: nothing in the program could run any more.
  132 | 134 | 135 | 136 | 137 | 139)
    if [ -t 1 ]; then
      printf '\033[?2026l\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l\033[?1l\033>\033(B\033[r\033[0m\033[?25h\033[?1049l'
    fi
    [ -n "$saved" ] && stty "$saved" 2>/dev/null
    printf 'oomscope was ended by signal %d\n' $((code - 128)) >&2
    ;;
esac
exit "$code"
