#!/usr/bin/env bash
# Three hosts as network namespaces: a driver on the first, a worker on each of the others. Cuts one off, cuts one direction only, limits a rate,
# and says how long it took to notice and to recover. Every answer of every job must be right. Needs root, iproute2 and nftables.
# Usage: run.sh                 builds first
#        run.sh PROBE WORKER    runs these two assemblies
#        run.sh --check         only says whether it could run here
# Exit codes: 0 all is well, 1 something is not, 77 skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() { echo "skipped: $1"; exit 77; }
[ "$(uname)" = Linux ] || skip "network namespaces are Linux's"
[ "$(id -u)" = 0 ] || skip "network namespaces need root"
for tool in ip tc nft; do command -v $tool >/dev/null || skip "$tool is missing (Debian: apt-get install iproute2 nftables)"; done
id=df$$
ip netns add $id-probe 2>/dev/null || skip "this container may not make network namespaces"
ip netns del $id-probe

[ "${1:-}" != --check ] || exit 0

if [ $# = 2 ]; then
    probe=$1 worker=$2
else
    dotnet build -c Release -v quiet --nologo tests/netns/Probe >&2
    dotnet build -c Release -v quiet --nologo Worker >&2
    probe=$PWD/tests/netns/Probe/bin/Release/net10.0/Dataflow.NetworkProbe.dll
    worker=$PWD/Worker/bin/Release/net10.0/dataflow.dll
fi

work=$(mktemp -d)
# The last thing that happens, however it ends: processes end, namespaces and what is in them go.
clean() {
    local code=$?
    jobs -p | xargs -r kill 2>/dev/null || true
    for space in $id-1 $id-2 $id-3 $id-sw; do
        ip netns pids $space 2>/dev/null | xargs -r kill -9 2>/dev/null || true
        ip netns del $space 2>/dev/null || true
    done
    [ $code = 0 ] || { echo "--- the driver said"; tail -50 "$work/driver.log" 2>/dev/null; for n in 2 3; do echo "--- worker $n said"; tail -20 "$work/worker$n.log" 2>/dev/null; done; } >&2
    rm -rf "$work"
}
trap clean EXIT

ip netns add $id-sw
ip -n $id-sw link add br0 type bridge
ip -n $id-sw link set br0 up
for h in 1 2 3; do
    ip netns add $id-$h
    ip link add p$h netns $id-sw type veth peer name eth0 netns $id-$h
    ip -n $id-sw link set p$h master br0 up
    ip -n $id-$h addr add 10.77.0.1$h/24 dev eth0
    ip -n $id-$h link set eth0 up
    ip -n $id-$h link set lo up
done

head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$work/token"
mkdir "$work/1" "$work/2" "$work/3"
(cd "$work/1"; DATAFLOW_TOKEN=$(cat "$work/token") exec ip netns exec $id-1 dotnet "$probe" http://10.77.0.11:7077) > "$work/driver.log" 2>&1 &
driver=$!
for ((i = 0; i < 600; i++)); do grep -q Listening "$work/driver.log" && break; sleep 0.05; done
for n in 2 3; do
    (cd "$work/$n"; exec ip netns exec $id-$n dotnet "$worker" worker --join http://10.77.0.11:7077 --name w$n --cores 2 --memory 600m \
        --token-file "$work/token" --temp "$work/$n") > "$work/worker$n.log" 2>&1 &
done

now() { date +%s%3N; }
# Waits until a line of the driver, later than a time, fits a pattern; prints how many ms after that time it came.
await() {
    local since=$1 pattern=$2 limit=$3 what=$4 line
    for ((i = 0; i < limit * 20; i++)); do
        line=$(awk -v since="$since" -v pattern="$pattern" '$1 >= since && $0 ~ pattern { print $1; exit }' "$work/driver.log")
        [ -z "$line" ] || { echo $((line - since)); return 0; }
        kill -0 $driver 2>/dev/null || { echo "the driver ended while waiting for: $what" >&2; return 1; }
        sleep 0.05
    done
    echo "not within $limit s: $what" >&2
    return 1
}
# Jobs that began after something happened and ended well.
await_job() {
    local since=$1 limit=$2 what=$3
    await "$since" ' right after ' "$limit" "$what"
}

start=0
await $start "Joined w2" 60 "worker 2 joins" > /dev/null
await $start "Joined w3" 60 "worker 3 joins" > /dev/null
await_job "$(now)" 60 "a job on both" > /dev/null
echo "two workers on two other hosts: jobs are right"

# Twice: cut in both directions by taking the link down; then only what worker 2 sends to the driver.
try() {
    local name=$1 cut=$2 heal=$3 at detected worked back
    at=$(now)
    eval "$cut"
    detected=$(await "$at" "Left w2" 20 "worker 2 is noticed to be gone ($name)")
    worked=$(await_job $((at + detected)) 15 "a job without worker 2 ($name)")
    at=$(now)
    eval "$heal"
    back=$(await "$at" "Joined w2" 60 "worker 2 is back ($name)")
    await_job $((at + back)) 30 "a job after worker 2 came back ($name)" > /dev/null
    printf '%s: noticed after %d ms, next job right %d ms later, back %d ms after healing\n' "$name" "$detected" "$worked" "$back"
}
try "link cut" "ip -n $id-sw link set p2 down" "ip -n $id-sw link set p2 up"

ip netns exec $id-sw nft add table bridge f
ip netns exec $id-sw nft 'add chain bridge f fw { type filter hook forward priority 0; }'
try "one direction cut" "ip netns exec $id-sw nft add rule bridge f fw iifname p2 oifname p1 drop" "ip netns exec $id-sw nft delete table bridge f"

ip netns exec $id-sw tc qdisc add dev p3 root tbf rate 8mbit burst 32kbit latency 200ms
took=$(await_job "$(now)" 60 "a job over a slow link")
ip netns exec $id-sw tc qdisc del dev p3 root
echo "8 Mbit/s to one host: next job right after $took ms"

kill -TERM $driver
wait $driver || { echo "the driver ended with errors" >&2; exit 1; }
grep -c ' right after ' "$work/driver.log" | sed 's/$/ jobs, all right/'
if grep -E 'WRONG|FAILED' "$work/driver.log"; then exit 1; fi
