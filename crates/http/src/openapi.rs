//! The specification's frame: what the API is, and how to begin.

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Server, ServerBuilder,
    ServerVariableBuilder,
};

use crate::api::{BEARER, Parts};

const DESCRIPTION: &str = "\
Fairlead is an open-source CRM: leads, customers and the public pool, opportunities, contracts, invoices and \
payments, with approvals between them.

## Begin
`POST /api/v1/auth/login` with e-mail and password gives an access token. Send it as `Authorization: Bearer \
<token>`; in Swagger UI, log in below, or press **Authorize** and paste it. It lasts minutes; `POST /api/v1/auth/refresh` gives \
the next one.

## Records
A record that is read or written alone answers with `allowed_actions`: what you may do with it now, and why not the \
rest; rows of lists do not, nor do people, targets, credit notes, notifications, jobs and events of the audit trail. The dictionary `action` has their labels. A record that you may not see does not exist \
for you (404).

## Lists
Filters are parameters: a bare name is *equals*, a comma list *any of*, and `_ne _gt _gte _lt _lte _contains \
_prefix _is_null` behind a name compare otherwise. `sort=-created_at,name` orders, `limit` bounds a page, and \
`page.next_cursor` (or the `Link` header) leads to the next one. A cursor belongs to its filter and order. Longer \
conditions, with *or* among them, go into the body of a search such as `POST /api/v1/customers/search`. \
`include=customer,customer.owner` adds records beside their ids, up to five relations; what is not there, or not for \
you, is null. A record that is read alone takes the `include` of its list.

## Writes
`PATCH` takes a JSON Merge Patch: an absent member stays, `null` clears. `PATCH` and `DELETE` want `If-Match` \
with the record's `ETag` (or `*`), so that nobody overwrites what they have not seen. Given back to a `GET` as \
`If-None-Match`, it is answered with 304 where nothing would be other for you, `allowed_actions` included. A `PATCH` \
that changes nothing is judged like any other, and leaves the version as it is. A `POST` that writes takes an \
`Idempotency-Key`: a repetition under the same key is answered as the first time. A change of state is a verb \
behind the record, such as `POST /api/v1/contracts/{id}/submit`.

## Errors
Every error is a problem document (RFC 9457) with a stable `code`, a `request_id`, and the figures of its \
code, but for what cannot be read as HTTP; `GET /problems` lists all codes with their figures. Where single values \
break a rule, `errors` has the code of each, of which the dictionary `rule` has all. Titles, details and messages come \
in English or Chinese by `Accept-Language`.

## Webhooks
`POST /api/v1/webhooks` has another program told of what happens, signed and as often as it takes; the section \
`webhooks` of this document is what it is sent. `GET /api/v1/events` is the same as a stream.

## Changes
Members, operations and values of enumerations may be added at any time: take what you do not know as it comes. \
What goes away says so before, with the headers `Deprecation` and `Sunset`.";

const TOKEN: &str = "\
The `access_token` that `POST /api/v1/auth/login` answers: a JWT after RFC9068, signed with EdDSA; its use \
follows the best practices of RFC8725.";

/// The whole specification.
pub(crate) fn document(parts: Parts) -> OpenApi {
    if !parts.collisions.is_empty() {
        // A test sees to it that this never happens; a server is not to fail because of its documentation.
        tracing::error!(names = ?parts.collisions, "different schemas share a name");
    }
    if !parts.refused.is_empty() {
        tracing::error!(examples = ?parts.refused, "operations would refuse their own examples");
    }
    let mut components = parts.components;
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(TOKEN))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let license = LicenseBuilder::new()
        .name("Apache-2.0")
        .url(Some("https://www.apache.org/licenses/LICENSE-2.0"))
        .build();
    let contact = ContactBuilder::new()
        .name(Some("Fairlead contributors"))
        .url(Some(env!("CARGO_PKG_REPOSITORY")))
        .email(Some("fairlead@users.noreply.github.com"))
        .build();
    let info = InfoBuilder::new()
        .title("Fairlead CRM")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license))
        .contact(Some(contact))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some(servers()))
        .paths(parts.paths)
        .webhooks(Some(parts.webhooks))
        .components(Some(components))
        .tags(Some(parts.tags))
        .build()
}

/// Where the API is. The first one is what Swagger UI calls, and whoever looks at one server only: it is right wherever
/// the document was read from a server. The second is for whoever has it as a file, which comes from nowhere.
fn servers() -> [Server; 2] {
    let internal = || Some(ExtensionsBuilder::new().add("x-internal", false).build());
    let here = ServerBuilder::new()
        .url("/")
        .description(Some("Wherever this document comes from: local, staging or production"))
        .extensions(internal());
    let scheme = ServerVariableBuilder::new()
        .enum_values(Some(["https", "http"]))
        .default_value("https")
        .description(Some("`http` is for a server on the same machine; elsewhere tokens want TLS."));
    let host = ServerVariableBuilder::new().default_value("fairlead.example").description(Some(
        "The name or the address, with the port where it is not the scheme's own: `localhost:8080` is a local demo.",
    ));
    let elsewhere = ServerBuilder::new()
        .url("{scheme}://{host}")
        .description(Some("A server of your choice, local, staging or production"))
        .parameter("scheme", scheme)
        .parameter("host", host)
        .extensions(internal());
    [here.build(), elsewhere.build()]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Map, Value};

    use crate::api::describe;
    use crate::documentation::yaml::write;
    use crate::resource;

    fn document() -> Value {
        serde_json::to_value(crate::openapi()).unwrap()
    }

    /// Every operation with its method and path.
    fn operations(document: &Value) -> Vec<(String, &Map<String, Value>)> {
        let paths = document["paths"].as_object().unwrap();
        paths
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |one| (path, one)))
            .map(|(path, (method, operation))| (format!("{method} {path}"), operation.as_object().unwrap()))
            .collect()
    }

    /// Swagger UI, and programs that know one server, take the first.
    #[test]
    fn the_first_server_is_the_documents_own_and_the_second_anybodys() {
        let document = document();
        let servers = document["servers"].as_array().unwrap();
        assert_eq!((servers.len(), &servers[0]["url"]), (2, &"/".into()));
        let url = servers[1]["url"].as_str().unwrap();
        let variables = servers[1]["variables"].as_object().unwrap();
        let filled = variables.iter().fold(url.to_owned(), |url, (name, variable)| {
            let default = &variable["default"];
            assert!(variable["description"].is_string(), "{name}");
            assert!(variable["enum"].as_array().is_none_or(|values| values.contains(default)), "{name}");
            assert!(url.contains(&format!("{{{name}}}")), "{name}");
            url.replace(&format!("{{{name}}}"), default.as_str().unwrap())
        });
        assert_eq!(filled, "https://fairlead.example");
        // What linters ask of each, in words and for whom.
        for server in servers {
            assert_eq!(server["x-internal"], false);
            assert!(server["description"].as_str().unwrap().contains("production"));
        }
    }

    #[test]
    fn no_two_schemas_share_a_name() {
        assert_eq!(describe(resource::api(), 1).collisions, Vec::<String>::new());
    }

    #[test]
    fn no_operation_refuses_its_own_example() {
        let refused = describe(resource::api(), 1).refused;
        assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
    }

    /// Checks every object of an example; says how many tell what happened to which kind of record.
    fn fits_together(example: &Value, name: &str) -> usize {
        let within = match example {
            Value::Object(members) => members.values().map(|member| fits_together(member, name)).sum(),
            Value::Array(items) => items.iter().map(|item| fits_together(item, name)).sum(),
            _ => 0,
        };
        let happened =
            ["type", "event", "action"].iter().find_map(|member| example[*member].as_str()?.split_once('.'));
        let Some(((kind, _), told)) = happened.zip(example["record_kind"].as_str()) else { return within };
        assert_eq!(told, kind, "{name}");
        within + 1
    }

    #[test]
    fn examples_of_answers_fit_together() {
        let document = document();
        let operations = operations(&document);
        let mut told = 0;
        for (name, operation) in &operations {
            let answers = operation["responses"].as_object().unwrap().values();
            let contents = answers.filter_map(|answer| answer["content"].as_object()).flat_map(Map::values);
            told += contents.map(|content| fits_together(&content["example"], name)).sum::<usize>();
        }
        assert!(told > 5, "{told}");
        let answer = |id: &str| {
            let (_, operation) =
                operations.iter().find(|(_, operation)| operation["operationId"] == id).unwrap();
            operation["responses"]["200"]["content"]["application/json"]["example"].clone()
        };
        let hit = answer("search_records")["data"][0].clone();
        assert!(hit["kind"] == "contract" && hit["number"].as_str().unwrap().starts_with("CT-"), "{hit}");
        let approval = answer("get_approval");
        assert_eq!(approval["subject_id"], approval["snapshot"]["id"]);
        let step = &approval["steps"][usize::try_from(approval["step"].as_u64().unwrap()).unwrap()];
        assert_eq!((&step["rule"], &approval["status"]), (&approval["waiting_for"], &"pending".into()));
    }

    #[test]
    fn an_example_of_a_patch_changes_one_thing() {
        let mut patches = 0;
        for (name, operation) in operations(&document()) {
            let body =
                operation.get("requestBody").map(|body| &body["content"]["application/merge-patch+json"]);
            let Some(patch) = body.and_then(|patch| patch["example"].as_object()) else { continue };
            assert!(patch.len() == 1 && patch.keys().all(|member| !member.ends_with("_id")), "{name}");
            patches += 1;
        }
        assert!(patches > 10, "{patches}");
    }

    #[test]
    fn operations_are_named_once_and_explained() {
        let document = document();
        let tags: BTreeSet<&str> = document["tags"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|tag| tag["description"].is_string())
            .map(|tag| tag["name"].as_str().unwrap())
            .collect();
        let mut ids = BTreeSet::new();
        for (name, operation) in operations(&document) {
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            assert!(operation["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{name}");
        }
        assert_eq!(tags.len(), document["tags"].as_array().unwrap().len());
    }

    /// What takes no permission of its own says in words who may.
    #[test]
    fn every_operation_says_who_may() {
        const PHRASES: [&str; 10] = [
            "the caller",
            "caller's own",
            "whoever",
            "By its author",
            "Its owner may",
            "Every user may",
            "Everybody who has logged in may",
            "By somebody whom",
            "you may list",
            "that you see",
        ];
        let mut silent = Vec::new();
        for (name, operation) in operations(&document()) {
            let description = operation["description"].as_str().unwrap().to_lowercase();
            let says = PHRASES.iter().any(|phrase| description.contains(&phrase.to_lowercase()));
            let is_open = operation["security"] == serde_json::json!([]);
            assert_eq!(
                operation.contains_key("x-permission"),
                description.contains("takes the permission"),
                "{name}"
            );
            if !says && !is_open && !operation.contains_key("x-permission") {
                silent.push(name);
            }
        }
        assert!(silent.is_empty(), "not said who may: {}", silent.join(", "));
    }

    #[test]
    fn whatever_takes_a_token_says_so() {
        for (name, operation) in operations(&document()) {
            let public = operation["security"] == serde_json::json!([]);
            let public_path = [
                "/auth/login",
                "/auth/refresh",
                "/public/",
                "/healthz",
                "/readyz",
                "/.well-known",
                "/problems",
            ]
            .iter()
            .any(|path| name.contains(path));
            assert_eq!(public, public_path, "{name}");
            if !public {
                assert!(operation["responses"].get("401").is_some(), "{name}");
            }
            for status in ["400", "500", "503"] {
                assert!(operation["responses"].get(status).is_some(), "{name} {status}");
            }
        }
    }

    #[test]
    fn versioned_writes_ask_for_the_version() {
        for (name, operation) in operations(&document()) {
            let responses = &operation["responses"];
            if name.starts_with("patch") {
                assert!(responses.get("428").is_some() && responses.get("412").is_some(), "{name}");
            }
            if name.starts_with("post") && responses.get("201").is_some() {
                assert!(responses["201"]["headers"].get("Location").is_some(), "{name}");
                assert!(responses["201"].get("links").is_some(), "{name}");
            }
        }
    }

    #[test]
    fn whatever_may_be_told_again_says_so() {
        let document = document();
        let header = |response: &Value| {
            let target =
                response.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            let response = target.map_or(response, |target| document.pointer(target).unwrap());
            response["headers"].get("Idempotent-Replayed").is_some()
        };
        let (mut idempotent, mut others) = (0, 0);
        for (name, operation) in operations(&document) {
            let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
            let takes_key = parameters.map(Value::to_string).any(|text| text.contains("Idempotency-Key"));
            for (status, response) in operation["responses"].as_object().unwrap() {
                // An operation that has nothing else to refuse so refuses the key itself, which is not kept.
                let only_the_key = ["IdempotencyKeyReused", "IdempotencyInProgress"]
                    .iter()
                    .any(|one| response.to_string().contains(&format!("{one}\"}}")));
                let kept = ["200", "201", "202", "204", "403", "404", "409", "412", "422"]
                    .contains(&status.as_str());
                assert_eq!(header(response), takes_key && kept && !only_the_key, "{name} {status}");
                *(if takes_key { &mut idempotent } else { &mut others }) += 1;
            }
        }
        assert!(idempotent > 100 && others > 100);
    }

    #[test]
    fn of_what_was_merged_readers_are_led_on_and_writers_are_refused() {
        let document = document();
        let homes = ["/leads/{id}", "/customers/{id}", "/public-pool/customers/{id}"];
        let (mut led, mut refused) = (0, 0);
        for (name, operation) in operations(&document) {
            let (method, path) = name.split_once(' ').unwrap();
            let merges = homes.iter().any(|home| path.starts_with(&format!("/api/v1{home}")));
            let responses = &operation["responses"];
            let conflict = resolve(&document, &responses["409"]);
            let told =
                conflict["content"]["application/problem+json"]["examples"].get("record_merged").is_some();
            assert_eq!(responses.get("308").is_some(), merges && method == "get", "{name}");
            assert_eq!(told, merges && method != "get", "{name}");
            *(if method == "get" { &mut led } else { &mut refused }) += usize::from(merges);
        }
        assert!(led >= 7 && refused >= 15, "{led} {refused}");
    }

    /// What a reference leads to, or the thing itself.
    fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
        let target = part.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        target.map_or(part, |target| document.pointer(target).unwrap())
    }

    /// The body of an operation that takes JSON.
    fn body<'a>(document: &'a Value, operation: &'a Map<String, Value>) -> &'a Value {
        let body = operation.get("requestBody").unwrap_or(&Value::Null);
        resolve(document, &body["content"]["application/json"]["schema"])
    }

    /// A parameter of an operation, if it has one of this name.
    fn parameter<'a>(
        document: &'a Value,
        operation: &'a Map<String, Value>,
        name: &str,
    ) -> Option<&'a Value> {
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        parameters.map(|one| resolve(document, one)).find(|one| one["name"] == name)
    }

    /// The words that a parameter of an operation takes; none where it has no such parameter.
    fn words<'a>(document: &'a Value, operation: &'a Map<String, Value>, name: &str) -> BTreeSet<&'a str> {
        let named = parameter(document, operation, name).into_iter();
        let words = named.filter_map(|one| one["schema"]["items"]["enum"].as_array()).flatten();
        words.filter_map(Value::as_str).collect()
    }

    /// The relations that an operation takes in `include`, in its query or in the body of a search.
    fn includes<'a>(document: &'a Value, operation: &'a Map<String, Value>) -> BTreeSet<&'a str> {
        let said = body(document, operation)["properties"]["include"]["items"]["enum"].as_array();
        let said = said.into_iter().flatten().filter_map(Value::as_str);
        words(document, operation, "include").into_iter().chain(said).collect()
    }

    /// A search asks what its list asks: by the same names, with values of the same kind.
    #[test]
    fn searches_take_what_their_lists_take() {
        let document = document();
        let mut compared = 0;
        for (name, operation) in operations(&document) {
            let list = name.strip_prefix("post ").and_then(|path| path.strip_suffix("/search"));
            let Some(list) = list else { continue };
            let whole = body(&document, operation);
            let group = resolve(&document, &whole["properties"]["all"]["items"]);
            let filter = resolve(&document, &group["properties"]["any"]["items"]);
            for part in [whole, group, filter] {
                assert_eq!(part["additionalProperties"], false, "{name}");
            }
            let of_search = |member: &str| match &whole["properties"][member] {
                Value::Null => &filter["properties"][member],
                known => known,
            };
            let mut known = BTreeSet::from(["all"]);
            for parameter in document["paths"][list]["get"]["parameters"].as_array().unwrap() {
                let member = parameter["name"].as_str().unwrap();
                if member == "fields" {
                    continue;
                }
                let (one, other) = (&parameter["schema"], of_search(member));
                let rules = [
                    "/type",
                    "/format",
                    "/enum",
                    "/minLength",
                    "/maxLength",
                    "/minimum",
                    "/maximum",
                    "/minItems",
                    "/maxItems",
                    "/items/type",
                    "/items/format",
                    "/items/enum",
                    "/items/minLength",
                    "/items/maxLength",
                    "/items/minimum",
                    "/items/maximum",
                ];
                for rule in rules {
                    assert_eq!(one.pointer(rule), other.pointer(rule), "{name} {member} {rule}");
                }
                assert!(other["description"].is_string(), "{name} {member}");
                known.insert(member);
                compared += 1;
            }
            let members = |part: &Value| part["properties"].as_object().unwrap().len();
            assert_eq!(members(whole) + members(filter), known.len(), "{name}");
            // It reads: nothing is to be repeated, and there is no address of a next page.
            let headers = &operation["responses"]["200"]["headers"];
            assert!(headers.get("Link").is_none() && headers.get("Idempotent-Replayed").is_none(), "{name}");
        }
        assert!(compared > 300, "{compared}");
    }

    /// The members of a schema that `include` adds: they say so.
    fn relations(schema: &Value) -> BTreeMap<&str, &Value> {
        let members = schema["properties"].as_object().into_iter().flatten();
        let added = members.filter(|(_, member)| {
            member["description"].as_str().is_some_and(|text| text.contains("`include`"))
        });
        added.map(|(name, member)| (name.as_str(), member)).collect()
    }

    /// What a member refers to where it is not null.
    fn referred<'a>(document: &'a Value, member: &'a Value) -> &'a Value {
        let mut branches = member["oneOf"].as_array().into_iter().flatten();
        let reference = branches.find(|branch| branch.get("$ref").is_some()).expect("a reference or null");
        resolve(document, reference)
    }

    /// The words of `include` for which a row has members, in what it refers to as well, where they end.
    fn addable(document: &Value, row: &Value) -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        for (name, member) in relations(row) {
            words.insert(name.to_owned());
            for (inner, member) in relations(referred(document, member)) {
                words.insert(format!("{name}.{inner}"));
                assert!(relations(referred(document, member)).is_empty(), "{name}.{inner} goes on");
            }
        }
        words
    }

    #[test]
    fn relations_are_members_where_they_can_be_included_and_nowhere_else() {
        let document = document();
        let operations = operations(&document);
        let all: BTreeSet<&str> =
            operations.iter().flat_map(|(_, operation)| includes(&document, operation)).collect();
        let expected = [
            "contract",
            "contract.customer",
            "contract.owner",
            "customer",
            "customer.owner",
            "opportunity",
            "owner",
            "primary_contact",
        ];
        assert_eq!(all, BTreeSet::from(expected));
        let (mut rows, mut alone, mut selectable) = (BTreeSet::new(), BTreeSet::new(), 0);
        for (name, operation) in &operations {
            let included = includes(&document, operation);
            let fields = words(&document, operation, "fields");
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            let answer = resolve(&document, schema);
            let row = &answer["properties"]["data"]["items"];
            let is_list = answer["properties"].get("page").is_some();
            if !is_list {
                // A record that is read alone takes what its list takes, and nothing else includes anything.
                let list = name.strip_prefix("get ").and_then(|path| path.strip_suffix("/{id}"));
                let list = list.and_then(|list| document["paths"].get(list)?.get("get")?.as_object());
                let of_list = list.and_then(|list| parameter(&document, list, "include"));
                let own = parameter(&document, operation, "include");
                assert_eq!(own, of_list, "{name} includes otherwise than its list");
                assert_eq!(own.is_some(), !included.is_empty(), "{name} includes by its body");
            }
            if !is_list && !included.is_empty() {
                let first = alone.insert(schema["$ref"].as_str().unwrap());
                assert!(first, "{name} answers with what another one answers with");
            }
            let shown = if is_list { resolve(&document, row) } else { answer };
            if is_list || !fields.is_empty() {
                let shown = addable(&document, shown);
                let shown: BTreeSet<&str> = shown.iter().map(String::as_str).collect();
                assert_eq!(shown, included, "{name} shows other relations than it includes");
            }
            if !fields.is_empty() {
                selectable += 1;
                let members: BTreeSet<&str> = relations(shown).into_keys().collect();
                assert!(members.is_subset(&fields), "{name} selects not all that it includes");
            }
            if is_list {
                rows.insert(row["$ref"].as_str().unwrap());
            }
        }
        assert!(rows.len() > 30 && selectable > 60, "{} {selectable}", rows.len());
        assert!(alone.len() >= 19, "{alone:?}");

        // What may have relations is a row of lists, a record that is read alone, or in one of these: nothing else takes
        // `include`, and writes least of all.
        let paths = document["paths"].to_string();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut with_relations = 0;
        for (name, _) in schemas.iter().filter(|(_, schema)| !relations(schema).is_empty()) {
            with_relations += 1;
            let reference = format!("#/components/schemas/{name}");
            let (is_row, is_alone) = (rows.contains(reference.as_str()), alone.contains(reference.as_str()));
            assert!(!(is_row && is_alone), "{name} is a row and is read alone");
            let reference = format!("\"{reference}\"");
            let users = schemas.iter().filter(|(_, other)| other.to_string().contains(&reference));
            for (user, other) in users {
                let shows = if is_row {
                    other["properties"].get("page").is_some()
                } else {
                    relations(other).values().any(|member| member.to_string().contains(&reference))
                };
                assert!(shows && !is_alone, "{user} cannot include what {name} may have");
            }
            let answered = paths.matches(&reference).count();
            assert_eq!(answered, usize::from(is_alone), "{name} is answered where nothing is included");
        }
        assert!(with_relations > 30, "{with_relations}");
    }

    /// What is included stands beside the id that it has, in the rows of examples as well.
    #[test]
    fn examples_show_what_is_included_beside_its_id() {
        let document = document();
        let (mut shown, mut absent) = (0, 0);
        for (name, operation) in operations(&document) {
            // What is read alone shows what comes when nothing is asked for.
            if name.ends_with("/{id}") {
                continue;
            }
            for word in words(&document, operation, "include").into_iter().filter(|word| !word.contains('.'))
            {
                let example = &operation["responses"]["200"]["content"]["application/json"]["example"];
                for row in example["data"].as_array().unwrap() {
                    let included = row.get(word).unwrap_or_else(|| panic!("{name} shows no {word}"));
                    let id = included.get("id").unwrap_or(&Value::Null);
                    if let Some(beside) = row.get(format!("{word}_id")) {
                        assert_eq!(id, beside, "{name} {word}");
                    }
                    *(if id.is_null() { &mut absent } else { &mut shown }) += 1;
                }
            }
        }
        assert!(shown > 30 && absent > 0, "{shown} {absent}");
    }

    /// A schema and those in it, with where each is.
    fn schema<'a>(one: &'a Value, at: &str, each: &mut impl FnMut(&str, &'a Map<String, Value>)) {
        if let Some(members) = one.as_object() {
            each(at, members);
        }
        schemas(one, at, each);
    }

    /// Every schema in a part of the document, with where it is.
    fn schemas<'a>(part: &'a Value, at: &str, each: &mut impl FnMut(&str, &'a Map<String, Value>)) {
        match part {
            Value::Object(members) => {
                for (name, member) in members.iter().filter(|(name, _)| !name.starts_with("example")) {
                    let at = format!("{at}/{name}");
                    match (name.as_str(), member) {
                        ("properties" | "schemas", Value::Object(named)) => {
                            for (name, one) in named {
                                schema(one, &format!("{at}/{name}"), each);
                            }
                        }
                        ("oneOf" | "anyOf" | "allOf", Value::Array(several)) => {
                            for one in several {
                                schema(one, &at, each);
                            }
                        }
                        ("items" | "schema" | "additionalProperties", Value::Object(_)) => {
                            schema(member, &at, each);
                        }
                        _ => schemas(member, &at, each),
                    }
                }
            }
            Value::Array(several) => {
                for one in several {
                    schemas(one, at, each);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_schema_says_what_it_is() {
        let document = document();
        let (mut seen, mut untyped) = (0, Vec::new());
        schemas(&document, "", &mut |at, schema| {
            seen += 1;
            let says = ["$ref", "type", "oneOf", "anyOf", "allOf", "enum"];
            let has_members =
                ["properties", "additionalProperties"].iter().any(|word| schema.contains_key(*word));
            let is_open = schema.get("type").is_some_and(|kind| kind == "object") && !has_members;
            if is_open || !says.iter().any(|word| schema.contains_key(*word)) {
                untyped.push(at.to_owned());
            }
        });
        assert!(seen > 3000, "{seen}");
        assert!(untyped.is_empty(), "{}", untyped.join("\n"));
    }

    #[test]
    fn references_lead_somewhere() {
        fn check(value: &Value, document: &Value) {
            match value {
                Value::Object(members) => {
                    if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                        let pointer = target.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{target}");
                    }
                    members.values().for_each(|member| check(member, document));
                }
                Value::Array(items) => items.iter().for_each(|item| check(item, document)),
                _ => {}
            }
        }
        let document = document();
        check(&document, &document);
    }

    #[test]
    fn it_is_the_same_each_time_in_both_notations() {
        let (one, two) = (crate::openapi(), crate::openapi());
        assert_eq!(one.to_pretty_json().unwrap(), two.to_pretty_json().unwrap());
        assert_eq!(write(&one).unwrap(), write(&two).unwrap());
    }
}
