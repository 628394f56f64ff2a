#!/bin/sh
# Runs a command of the harness in the cluster: generators that start together once all are connected, or one pod.
set -eu

usage() {
  cat >&2 <<'TEXT'
usage: load.sh [-d seconds] [-g generators] [-i image] [-l seconds] [-n namespace] [-o file] [-s seconds] [-T] COMMAND URL [option of the command]...

  run, http                 several generators, whose Results are merged into one
  idle, storm, slow, soak   several generators, whose reports are kept one by one, as <file>.1, <file>.2 and so on
  check, search             one pod

  -d  seconds that the Job may last at most, waiting included; then it ends and its Results are lost (default: 3600)
  -g  generators, one pod each: 2 or more (default: 4)
  -i  image of the generators (default: that of overlays/load)
  -l  seconds to wait at most until every generator has connected all its connections (default: 300)
  -n  name space (default: that of the kubectl context)
  -o  new file for the Result or report (default: uws-echo-load-<time>.json)
  -s  seconds from then until they start together: each kubelet has to pass the time on to its pods (default: 20)

  -T  connections and rates are those of all generators together, and each has its share

Without -T, connections and rates are those of each generator. What the pods wrote is kept in <file>.log.
BENCH is the command that merges (default: node dist/bench/cli.js of this checkout, so run npm run build before).

example: load.sh -g 8 run ws://uws-echo/echo --connections 500 --duration 60s
TEXT
  exit 2
}

refuse() {
  echo "load.sh: $1" >&2
  exit 2
}

here=$(cd "$(dirname "$0")" && pwd)
deadline=3600 generators='' image='' limit=300 namespace='' out='' lead=20 totals=''
while getopts d:g:i:l:n:o:s:T option; do
  case $option in
    d) deadline=$OPTARG ;;
    g) generators=$OPTARG ;;
    i) image=$OPTARG ;;
    l) limit=$OPTARG ;;
    n) namespace=$OPTARG ;;
    o) out=$OPTARG ;;
    s) lead=$OPTARG ;;
    T) totals=',"--totals"' ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 1 ] || usage
command=$1
case $command in
  run | http | idle | storm | slow | soak) generators=${generators:-4} ;;
  check | search)
    [ -z "$generators$totals" ] || refuse "-g and -T: $command is one client by nature, so it has one pod"
    generators=1
    ;;
  drain) refuse "drain: a pod can neither signal the servers nor run kubectl: run uws-echo-bench drain here" ;;
  sweep) refuse "sweep: its folder of Results would be lost with the pod: run uws-echo-bench sweep where it can keep them" ;;
  *) refuse "$command: must be run, http, idle, storm, slow, soak, check or search, followed by the URL" ;;
esac
case $command.$generators in check.1 | search.1) ;; *.'' | *.*[!0-9]* | *.0 | *.1) refuse "-g $generators: must be a whole number from 2" ;; esac
seconds() {
  case $2 in '' | *[!0-9]* | 0* | ???????*) refuse "$1 $2: must be a whole number of seconds from 1 to $3" ;; esac
  [ "$2" -le "$3" ] || refuse "$1 $2: must be a whole number of seconds from 1 to $3"
}
seconds -d "$deadline" 604800
# A generator waits an hour at most.
seconds -l "$limit" 3000
seconds -s "$lead" 600

bench() {
  if [ -n "${BENCH:-}" ]; then $BENCH "$@"; else node "$here/../../dist/bench/cli.js" "$@"; fi
}

kube() {
  kubectl ${namespace:+--namespace "$namespace"} "$@"
}

# Checked before anything is started: Results that cannot be merged need not be measured.
bench merge --help >/dev/null || refuse "the harness does not run here: npm run build, or set BENCH"

begun=$(date +%s)
job=uws-echo-load-$begun
out=${out:-$job.json}
log=$out.log
for file in "$out" "$log"; do
  [ ! -e "$file" ] || refuse "-o $file already exists and is never overwritten"
done

json_string() {
  printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"
}

# The rest of the command line as a JSON array: quotes and spaces reach the generators as they were typed.
arguments=''
for argument; do
  arguments=$arguments$(json_string "$argument"),
done
arguments=$arguments'"--json"'
[ "$generators" = 1 ] ||
  arguments=$arguments',"--metrics-port","9100","--metrics-host","0.0.0.0","--start-at","@/etc/uws-echo-load/start-at","--part","auto/'$generators'"'$totals
container='"name": "generator", "args": ['$arguments']'
[ -z "$image" ] || container=$container', "image": '$(json_string "$image")

kubectl kustomize "$here/overlays/load" |
  kubectl patch --local --filename - --type strategic --output yaml --patch "{
    \"metadata\": {\"name\": \"$job\"},
    \"spec\": {
      \"activeDeadlineSeconds\": $deadline,
      \"completions\": $generators,
      \"parallelism\": $generators,
      \"template\": {\"spec\": {\"containers\": [{$container}]}}
    }
  }" |
  kube create --filename - >&2

end_job() {
  kube delete job "$job" --wait=false >&2
}
trap 'end_job; exit 130' INT TERM

conditions() {
  kube get job "$job" --output 'jsonpath={.status.conditions[*].type}'
}

# One line for each pod: name, whether it is ready, phase, and why it does not run or is not scheduled.
pods() {
  kube get pods --selector "job-name=$job" --output 'jsonpath={range .items[*]}{.metadata.name}{" ready="}{.status.conditions[?(@.type=="Ready")].status}{" "}{.status.phase}{" "}{.status.containerStatuses[*].state.waiting.reason}{" "}{.status.containerStatuses[*].state.waiting.message}{" "}{.status.conditions[?(@.type=="PodScheduled")].message}{"\n"}{end}'
}

give_up() {
  echo "load.sh: after $(($(date +%s) - begun)) s, $1 of $generators generators are ready; nothing was measured" >&2
  printf '%s\n' "$2" | while read -r name ready phase why; do
    [ -z "$name" ] || [ "$ready" = ready=True ] || echo "  $name: ${phase:-unknown}${why:+, $why}" >&2
  done
  created=$(printf '%s\n' "$2" | grep -c . || true)
  [ "$created" -ge "$generators" ] ||
    echo "  only $created pods were created: kubectl get events says why, such as a quota" >&2
  kube logs --selector "job-name=$job" --prefix --tail -1 >"$log" || true
  if [ -s "$log" ]; then
    echo "The pods wrote ($log):" >&2
    cat "$log" >&2
  else
    rm -f "$log"
  fi
  end_job || true
  exit 3
}

# Waits until every generator is connected, or one has ended. kubectl wait fails while there are no pods yet, and waits on for one that has failed.
wait_until_ready() {
  while :; do
    outcome=$(conditions) && list=$(pods) || {
      echo "load.sh: the cluster does not respond, so the generators are not started; job $job ends by itself" >&2
      end_job || true
      exit 3
    }
    case " $outcome " in *' Failed '*) return ;; esac
    ready=$(printf '%s\n' "$list" | grep -c ' ready=True ' || true)
    [ "$ready" -lt "$generators" ] || break
    case $list in *' Succeeded '*) give_up "$ready" "$list" ;; esac # It waits for nothing.
    [ $(($(date +%s) - begun)) -lt "$limit" ] || give_up "$ready" "$list"
    sleep 1
  done
  echo "load.sh: $generators generators start together in $lead s" >&2
  kube annotate pods --selector "job-name=$job" "uws-echo/start-at=$(($(date +%s) + lead))" >&2 || {
    echo "load.sh: the pods cannot be given the time of the start; nothing was measured" >&2
    end_job || true
    exit 3
  }
}

if [ "$generators" = 1 ]; then
  echo "load.sh: one pod runs $command; interrupting this ends it" >&2
else
  echo "load.sh: $generators generators connect, for $limit s at most; interrupting this ends them" >&2
  wait_until_ready
fi

# Waits for both outcomes, because kubectl wait supports one at a time.
while :; do
  outcome=$(conditions) || {
    echo "load.sh: the cluster does not respond; the Results will be in the logs of job $job" >&2
    exit 3
  }
  case " $outcome " in *' Complete '* | *' Failed '*) break ;; esac
  sleep 1
done
trap - INT TERM

kube logs --selector "job-name=$job" --prefix --tail -1 >"$log"
case " $outcome " in
  *' Failed '*)
    echo "load.sh: a generator failed, so there is nothing to merge. The pods wrote ($log):" >&2
    grep -v '{"kind":"uws-echo-bench/' "$log" >&2 || true
    exit 3
    ;;
esac
# A Result counts errors; their messages are only in the log.
grep -v '{"kind":"uws-echo-bench/' "$log" >&2 || true
code=0
case $command in
  run | http)
    bench merge --expect "$generators" --out "$out" "$log" || code=$?
    [ ! -e "$out" ] || echo "Result: $out" >&2
    exit "$code"
    ;;
esac

# Exit code 1, of a report that is not acceptable, is not a failure of the pod.
grep -q 'exit code 1$' "$log" && code=1
number=0
sed -n 's/^.*\({"kind":"uws-echo-bench\/.*\)$/\1/p' "$log" >"$out.all"
while IFS= read -r line; do
  number=$((number + 1))
  file=$out
  [ "$generators" = 1 ] || file=$out.$number
  printf '%s\n' "$line" >"$file"
  bench report "$file"
  echo "Report: $file" >&2
done <"$out.all"
rm "$out.all"
[ "$number" = "$generators" ] || {
  echo "load.sh: $generators reports were expected, and the log has $number" >&2
  exit 3
}
exit "$code"
