#!/usr/bin/env bash
# The check of action.yml: SARIF into a file, annotations on stdout, the exit status as an output.
set -uo pipefail

read -r -d '' -a models <<<"${AIPC_MODELS:-}" || true
arguments=("${models[@]+"${models[@]}"}")
[ "${#models[@]}" -gt 0 ] || arguments=(--all)
[ -z "${AIPC_SOC:-}" ] || arguments+=(--soc "$AIPC_SOC")
[ -z "${AIPC_PRECISION:-}" ] || arguments+=(--precision "$AIPC_PRECISION")
[ -z "${AIPC_BASELINE:-}" ] || arguments+=(--baseline "$AIPC_BASELINE")
arguments+=(--fail-on "${AIPC_FAIL_ON:-warning}")

sarif="${RUNNER_TEMP:-/tmp}/aipc.sarif"
status=0
python -m aipc check --format sarif "${arguments[@]}" >"$sarif" || status=$?
# The second time everything comes from the cache.
[ "$status" -gt 1 ] || python -m aipc check --format github "${arguments[@]}" 2>/dev/null || true
{
  echo "sarif=$sarif"
  echo "status=$status"
} >>"$GITHUB_OUTPUT"
