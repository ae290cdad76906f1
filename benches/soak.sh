#!/bin/bash
# Ten publishers and ten subscribers at full speed at QoS 1 through `mqtt serve`: nothing is lost and its memory stays flat.
# `cargo build --release && benches/soak.sh [SECONDS]`; 30 seconds unless said. Ends with the status of the delivery check.
set -euo pipefail
seconds=${1:-30}
mqtt=${MQTT_BINARY:-$(dirname "$0")/../target/release/mqtt}
ready=$(mktemp -u)

"$mqtt" serve -p 0 --ready-file "$ready" >/dev/null &
serve=$!
trap 'kill $serve; rm -f "$ready"' EXIT
until [ -e "$ready" ]; do kill -0 $serve; sleep 0.05; done

"$mqtt" bench -L "$(cat "$ready")" -q 1 --duration "${seconds}s" &
bench=$!
while kill -0 $bench 2>/dev/null; do
    awk '/VmRSS/ { print $2 }' /proc/$serve/status
    sleep 1
done >"$ready.memory"
status=0
wait $bench || status=$?
echo "memory of serve, MiB each second:" $(awk '{ printf "%.1f ", $1 / 1024 }' "$ready.memory")
rm -f "$ready.memory"
exit $status
