#!/usr/bin/env bash
# From a lead to the last payment, with nothing but curl and jq.
#
# Bodies are made by jq, so that a value with a quote in it stays a value.
#
#     examples/curl/journey.sh http://127.0.0.1:8080

set -euo pipefail

SERVER=${1:-http://127.0.0.1:8080}

# The answer, or the refusal: a problem with a stable `code` (RFC 9457).
# call <token> <method> <path> [more for curl]
call() {
    local answer status
    answer=$(curl --silent --show-error --request "$2" --write-out '\n%{http_code}' \
        --header "Authorization: Bearer $1" "${@:4}" "$SERVER/api/v1$3") || return
    status=${answer##*$'\n'} answer=${answer%$'\n'*}
    if ((status >= 400)); then
        jq --raw-output '"\(.code): \(.detail // .title)", (.errors // [] | .[] | "  \(.pointer) \(.message)")' \
            <<<"$answer" >&2 || echo "$2 $3 was answered with $status" >&2
        return 1
    fi
    echo "$answer"
}

# Like `call`, with a JSON document as body.
# send <token> <method> <path> <document> [more for curl]
send() {
    call "$1" "$2" "$3" --header "Content-Type: application/json" --data "$4" "${@:5}"
}

# The token of one of the demo's accounts.
login() {
    local form
    form=$(jq --null-input --arg email "$1@demo.fairlead.example" '{$email, password: "demo-password"}')
    send "" POST /auth/login "$form" | jq --raw-output .access_token
}

cny() {
    jq --null-input --arg amount "$1" '{$amount, currency: "CNY"}'
}

REP=$(login rep.east)
MANAGER=$(login manager.east)
FINANCE=$(login finance)

# A lead, talked to, qualified and converted in one step. The second of a name would be refused as a duplicate.
form=$(jq --null-input '{name: "Zhang San", company: "Shell Machinery \(now | floor)", source: "website"}')
lead=$(send "$REP" POST /leads "$form" | jq --raw-output .id)
form=$(jq --null-input --arg id "$lead" '{about: {kind: "lead", $id}, kind: "call", subject: "Wants an offer"}')
send "$REP" POST /activities "$form" >/dev/null
call "$REP" POST "/leads/$lead/qualify" >/dev/null
form=$(jq --null-input --argjson amount "$(cny 120000.00)" '{opportunity: {name: "Packing line", $amount}}')
opportunity=$(send "$REP" POST "/leads/$lead/convert" "$form" | jq --raw-output .converted_opportunity_id)

# The signing stage makes the contract's draft.
signing=$(call "$REP" GET /pipelines | jq --raw-output 'first(.data[0].stages[] | select(.starts_contract)).id')
form=$(jq --null-input --arg stage_id "$signing" '{$stage_id}')
contract=$(send "$REP" POST "/opportunities/$opportunity/advance" "$form" | jq --raw-output .contract_id)

# Half at once, half in a month; by the contract, not by invoices. The version is the one that was read.
tag=$(call "$REP" GET "/contracts/$contract" --output /dev/null --dump-header /dev/stdout |
    grep -i '^etag:' | cut -d ' ' -f 2 | tr -d '\r')
call "$REP" PATCH "/contracts/$contract" --header "If-Match: $tag" \
    --header "Content-Type: application/merge-patch+json" --data '{"collection_scheme": "by_contract"}' >/dev/null
form=$(jq --null-input '{starts_on: "2031-01-31", shares: [(0, 30) | {share: "0.5", after_days: .}]}')
send "$REP" POST "/contracts/$contract/plan" "$form" >/dev/null

# Nobody decides what they asked for; two others do.
call "$REP" POST "/contracts/$contract/submit" >/dev/null
approval=$(call "$REP" GET "/approvals?subject_id=$contract" | jq --raw-output '.data[0].id')
approve() {
    send "$1" POST "/approvals/$approval/approve" '{}' >/dev/null
}
if refusal=$(approve "$REP" 2>&1); then
    echo "the seller decided" >&2
    exit 1
fi
[[ $refusal == forbidden:* ]] || { echo "$refusal" >&2 && exit 1; }
approve "$MANAGER"
approve "$FINANCE"

# Two payments, each confirmed by somebody else; with the last one the contract is completed. A repetition under the
# same key would be answered as the first time, not recorded again.
for number in 1 2; do
    form=$(jq --null-input --arg contract_id "$contract" --argjson amount "$(cny 60000.00)" \
        '{$contract_id, $amount, received_on: "2026-11-20", method: "bank_transfer"}')
    payment=$(send "$REP" POST /payments "$form" --header "Idempotency-Key: $contract-$number" | jq --raw-output .id)
    call "$FINANCE" POST "/payments/$payment/confirm" >/dev/null
done
paid=$(call "$REP" GET "/contracts/$contract")
jq --exit-status '.status == "completed" and .paid.amount == "120000.00"' <<<"$paid" >/dev/null ||
    { jq . <<<"$paid" >&2 && exit 1; }
jq --raw-output '"\(.number) is \(.status): \(.paid.amount) \(.paid.currency) paid"' <<<"$paid"
