"""Logs in, and keeps what only a server can make up out of what is made up here."""

import json
import os
import re
import urllib.request

import schemathesis
from schemathesis.core.parameters import ParameterLocation

BASE = os.environ["FAIRLEAD_FUZZ_URL"]
EMAIL = os.environ["FAIRLEAD_FUZZ_EMAIL"]
PASSWORD = "demo-password"

# Places in lists and points of sync are opaque: any other text is refused, whatever its pattern.
OPAQUE = ("cursor", "since")


@schemathesis.auth(refresh_interval=600)
class Account:
    def get(self, case, context):
        body = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{BASE}/api/v1/auth/login", body, headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["access_token"]

    def set(self, case, token, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {token}"


# What the generator takes for a value of these headers, whose pattern has alternatives, is none.
CONDITIONS = {"If-Match": "*", "If-None-Match": '"v0"'}
# What a relation that is not there leads to, as `invoice_id` of a payment for a contract: the generator makes links of such
# members by itself, and takes `null` for an id.
NOBODY, NOTHING = "00000000-0000-7000-8000-000000000000", (None, "None")
# How many decimals a currency has, no pattern can tell.
FRACTION = re.compile(r"^(-?[0-9]+)\.[0-9]+( [A-Z]{3})?$")
CONDITION = re.compile(r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$')


def well_formed(case):
    """Whether `fields` breaks no rule, although it was meant to: it is left out for there is nothing in it, or names what
    there is."""
    words = case.query["fields"]
    words = words.split(",") if isinstance(words, str) else words
    known = case.operation.query.get("fields").definition["schema"]["items"]["enum"]
    return not words or (isinstance(words, list) and all(word in known for word in words))


@schemathesis.hook
def before_call(context, case, kwargs):
    if not case.meta:
        return
    # Whoever asks for some members gets no others: that the schema wants them all is said, and is meant so.
    if not case.meta.is_negative_at(ParameterLocation.QUERY):
        (case.query or {}).pop("fields", None)
    elif "fields" in (case.query or {}) and well_formed(case):
        case.query["fields"] = "~"
    if not case.meta.generation.mode.is_positive:
        return
    for name in OPAQUE:
        (case.query or {}).pop(name, None)
        if isinstance(case.body, dict):
            case.body.pop(name, None)
    for name, value in (case.path_parameters or {}).items():
        if value in NOTHING:
            case.path_parameters[name] = NOBODY
    for name, value in (case.query or {}).items():
        if isinstance(value, str) and FRACTION.match(value):
            case.query[name] = FRACTION.sub(r"\1\2", value)
    for name, value in CONDITIONS.items():
        if case.headers and name in case.headers and not CONDITION.match(str(case.headers[name])):
            case.headers[name] = value
