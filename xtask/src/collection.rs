//! The document as a Postman collection (format 2.1), for whoever tries the API by hand. Other programs import it too.
//!
//! What it adds to the document is what a person would otherwise type again and again: the login, and the ids of what
//! was made or listed before. Its scripts use only what importers are known to translate.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

const FORMAT: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// Always the same, so that Postman offers to replace what was imported before.
const ID: &str = "6f1c1f5e-3c0b-4d0e-9a53-0d6f6f8b2a11";

/// What the operations share: name, what it is at first, and what it means.
const VARIABLES: [(&str, &str, &str); 8] = [
    ("base_url", "http://127.0.0.1:8080", "Where the server is."),
    (
        "email",
        "rep.east@demo.fairlead.example",
        "Who calls. Another address is logged in by the next request.",
    ),
    ("password", "demo-password", "The password of `email`."),
    ("access_token", "", "Kept by scripts."),
    ("refresh_token", "", "Kept by scripts."),
    ("token_expires_at", "", "Kept by scripts: milliseconds since 1970."),
    ("token_email", "", "Kept by scripts: whose token it is."),
    (
        "last_id",
        "",
        "Kept by scripts: what was made last. There is one for each kind as well, such as `lead_id`.",
    ),
];

/// Operation, member of its body, variable. The new password is the old one until somebody types another: running all
/// requests must not lock anybody out.
const MEMBERS: [(&str, &str, &str); 5] = [
    ("log_in", "email", "email"),
    ("log_in", "password", "password"),
    ("refresh_tokens", "refresh_token", "refresh_token"),
    ("change_my_password", "current_password", "password"),
    ("change_my_password", "new_password", "password"),
];

/// Before every request.
const LOG_IN_FIRST: &str = "\
// A token is good only for whom it was given to, so that changing `email` is all it takes to become somebody else.
const email = pm.variables.replaceIn('{{email}}');
const usable = pm.collectionVariables.get('access_token')
    && pm.collectionVariables.get('token_email') === email
    && Number(pm.collectionVariables.get('token_expires_at')) > Date.now() + 30000;
const open = OPEN;
if (!usable && !open.includes(pm.info.requestName)) {
    const form = { email: email, password: pm.variables.replaceIn('{{password}}') };
    pm.sendRequest({
        url: pm.variables.replaceIn('{{base_url}}LOGIN'),
        method: 'POST',
        header: { 'Content-Type': 'application/json' },
        body: { mode: 'raw', raw: JSON.stringify(form) }
    }, function (error, response) {
        const status = error ? String(error) : response.code;
        // As a test, because what a script throws here is not shown everywhere.
        pm.test('log in as ' + email, function () {
            pm.expect(status).to.equal(200);
        });
        if (status === 200) {
            const tokens = response.json();
KEEP
        } else {
            pm.collectionVariables.set('access_token', '');
        }
    });
}";

/// After every request.
const LEARN: &str = "\
// What was refused is not shown again, whatever its time says: the server may be another one.
if (pm.response.code === 401) {
    pm.collectionVariables.set('access_token', '');
}
if (pm.response.code === 201 && pm.response.json().id) {
    pm.collectionVariables.set('last_id', pm.response.json().id);
}";

/// Where `tokens` are at hand.
const KEEP: &str = "\
pm.collectionVariables.set('access_token', tokens.access_token);
pm.collectionVariables.set('refresh_token', tokens.refresh_token);
pm.collectionVariables.set('token_expires_at', String(Date.now() + tokens.expires_in * 1000));
pm.collectionVariables.set('token_email', pm.variables.replaceIn('{{email}}'));";

/// The collection as it is committed.
pub(crate) fn print(document: &str) -> Result<String> {
    let document = serde_json::from_str(document).context("the document is not JSON")?;
    let mut text = serde_json::to_string_pretty(&collection(&document)?)?;
    text.push('\n');
    Ok(text)
}

/// One folder for each tag, one request for each operation, both in the document's order; but what deletes comes last,
/// so that a folder can be run from top to bottom.
pub(crate) fn collection(document: &Value) -> Result<Value> {
    let operations = operations(document)?;
    let known: BTreeSet<String> =
        operations.iter().filter_map(|operation| known_by(operation.path)).collect();
    let mut folders = Vec::new();
    let mut filed = 0;
    for tag in array(document, "tags")? {
        let name = text(tag, "name")?;
        let mut own: Vec<_> = operations.iter().filter(|operation| operation.tag == name).collect();
        own.sort_by_key(|operation| operation.method == "delete");
        let requests =
            own.into_iter().map(|operation| item(document, operation, &known)).collect::<Result<Vec<_>>>()?;
        filed += requests.len();
        folders
            .push(json!({ "id": name, "name": name, "description": tag["description"], "item": requests }));
    }
    ensure!(filed == operations.len(), "an operation has a tag that the document does not describe");

    let login = operations.iter().find(|operation| operation.id == "log_in").context("there is no log_in")?;
    // By name, for not every importer tells a script whether its request wants a token.
    let open: BTreeSet<&str> = operations.iter().filter(|one| one.is_open()).map(|one| one.name).collect();
    let shared = operations.iter().find(|one| !one.is_open() && open.contains(one.name));
    ensure!(
        shared.is_none(),
        "an operation with a login is called like one without: its summary has to change"
    );
    let before = LOG_IN_FIRST
        .replace("OPEN", &serde_json::to_string(&open)?)
        .replace("LOGIN", login.path)
        .replace("KEEP", &indented(KEEP, 12).join("\n"));
    let variables = VARIABLES.map(|(name, value, meaning)| {
        json!({ "key": name, "value": value, "type": "string", "description": meaning })
    });
    Ok(json!({
        "info": {
            "_postman_id": ID,
            "name": document["info"]["title"],
            "description": document["info"]["description"],
            "schema": FORMAT,
        },
        "item": folders,
        "auth": {
            "type": "bearer",
            "bearer": [{ "key": "token", "value": "{{access_token}}", "type": "string" }],
        },
        "event": [script("prerequest", &before), script("test", LEARN)],
        "variable": variables,
    }))
}

/// An operation, with what every part of its request asks for.
struct Operation<'document> {
    path: &'document str,
    method: &'document str,
    id: &'document str,
    name: &'document str,
    tag: &'document str,
    members: &'document Value,
}

impl Operation<'_> {
    /// Whether it wants no token.
    fn is_open(&self) -> bool {
        self.members["security"].as_array().is_some_and(Vec::is_empty)
    }
}

fn operations(document: &Value) -> Result<Vec<Operation<'_>>> {
    let mut found = Vec::new();
    for (path, methods) in object(document, "paths")? {
        let methods = methods.as_object().with_context(|| format!("{path} is no object"))?;
        for (method, members) in methods.iter().filter(|(_, members)| members.get("operationId").is_some()) {
            let what = || format!("in {method} {path}");
            found.push(Operation {
                path,
                method,
                id: text(members, "operationId").with_context(what)?,
                name: text(members, "summary").with_context(what)?,
                tag: members["tags"][0].as_str().context("no tag").with_context(what)?,
                members,
            });
        }
    }
    Ok(found)
}

fn item(document: &Value, operation: &Operation<'_>, known: &BTreeSet<String>) -> Result<Value> {
    let what = || format!("in the operation {}", operation.id);
    let (mut header, mut query, mut variable) = (Vec::new(), Vec::new(), Vec::new());
    let body = body(document, operation, known).with_context(what)?;
    if let Some((kind, _)) = &body {
        header.push(json!({ "key": "Content-Type", "value": kind }));
    }
    for parameter in operation.members["parameters"].as_array().into_iter().flatten() {
        let parameter = resolved(document, parameter).with_context(what)?;
        let name = text(parameter, "name").with_context(what)?;
        let mut value = example(document, parameter).with_context(what)?;
        let required = parameter["required"] == true;
        let place = match text(parameter, "in").with_context(what)? {
            "path" => {
                if name == "id" {
                    let kind = known_by(operation.path).unwrap_or_else(|| "last_id".to_owned());
                    value = format!("{{{{{kind}}}}}");
                }
                &mut variable
            }
            "query" => &mut query,
            _ => &mut header,
        };
        // A new key for each sending: whoever sends twice by hand means two records.
        let key = name == "Idempotency-Key";
        if key {
            "{{$guid}}".clone_into(&mut value);
        }
        let mut row = json!({ "key": name, "value": value, "description": parameter["description"] });
        if !required && !key {
            row["disabled"] = true.into();
        }
        place.push(row);
    }

    let mut request = json!({
        "method": operation.method.to_uppercase(),
        "header": header,
        "url": url(operation.path, &query, &variable),
        "description": operation.members["description"],
    });
    if let Some((_, body)) = body {
        request["body"] = body;
    }
    if operation.is_open() {
        request["auth"] = json!({ "type": "noauth" });
    }
    let test = script("test", &test(operation, known).with_context(what)?);
    Ok(
        json!({ "id": operation.id, "name": operation.name, "event": [test], "request": request, "response": [] }),
    )
}

/// What is sent by default is in the raw form; the rest is for Postman's table.
fn url(path: &str, query: &[Value], variable: &[Value]) -> Value {
    let path = path.replace('{', ":").replace('}', "");
    let sent = query.iter().filter(|row| row.get("disabled").is_none());
    let sent: Vec<String> = sent
        .map(|row| {
            format!(
                "{}={}",
                row["key"].as_str().unwrap_or_default(),
                row["value"].as_str().unwrap_or_default()
            )
        })
        .collect();
    let mark = if sent.is_empty() { "" } else { "?" };
    let mut url = json!({
        "raw": format!("{{{{base_url}}}}{path}{mark}{}", sent.join("&")),
        "host": ["{{base_url}}"],
        "path": path.trim_start_matches('/').split('/').collect::<Vec<_>>(),
    });
    for (name, rows) in [("query", query), ("variable", variable)] {
        if !rows.is_empty() {
            url[name] = rows.into();
        }
    }
    url
}

/// The media type, and the document's example in it; files have none and are chosen by whoever sends them.
fn body(
    document: &Value,
    operation: &Operation<'_>,
    known: &BTreeSet<String>,
) -> Result<Option<(String, Value)>> {
    let Some(body) = operation.members.get("requestBody") else { return Ok(None) };
    let kinds = object(resolved(document, body)?, "content")?;
    if let Some((kind, example)) = kinds.iter().find_map(|(kind, media)| Some((kind, media.get("example")?)))
    {
        let mut example = example.clone();
        refer(&mut example, known);
        for (_, member, variable) in MEMBERS.iter().filter(|(id, ..)| *id == operation.id) {
            ensure!(example.get(member).is_some(), "the body has no `{member}` any more");
            example[member] = format!("{{{{{variable}}}}}").into();
        }
        let raw = serde_json::to_string_pretty(&example)?;
        let body = json!({ "mode": "raw", "raw": raw, "options": { "raw": { "language": "json" } } });
        return Ok(Some((kind.clone(), body)));
    }
    let kind = kinds.keys().next().context("a body without a media type")?;
    Ok(Some((kind.clone(), json!({ "mode": "file", "file": { "src": null } }))))
}

/// The example's ids are those of a demo: where another one of the kind is known, it stands in.
fn refer(example: &mut Value, known: &BTreeSet<String>) {
    match example {
        Value::Array(rows) => rows.iter_mut().for_each(|row| refer(row, known)),
        Value::Object(members) => {
            for (name, value) in members {
                if value.is_string() && known.contains(name) {
                    *value = format!("{{{{{name}}}}}").into();
                } else {
                    refer(value, known);
                }
            }
        }
        _ => {}
    }
}

fn test(operation: &Operation<'_>, known: &BTreeSet<String>) -> Result<String> {
    let answers = object(operation.members, "responses")?;
    let codes: Vec<u16> = answers.keys().filter_map(|code| code.parse().ok()).collect();
    let mut lines = vec![
        "pm.test('the status is one that the document names', function () {".to_owned(),
        format!("    pm.expect(pm.response.code).to.be.oneOf({});", serde_json::to_string(&codes)?),
        "});".to_owned(),
    ];
    // What a request makes, or lists, is what later ones are about.
    let kind = id_of(last_word(operation.path)).filter(|kind| known.contains(kind));
    match (operation.method, kind) {
        ("post", Some(kind)) if answers.contains_key("201") => lines.extend([
            "if (pm.response.code === 201) {".to_owned(),
            format!("    pm.collectionVariables.set('{kind}', pm.response.json().id);"),
            "}".to_owned(),
        ]),
        // Some kinds are made by no request, such as approvals: the first that is seen is as good as any.
        ("get", Some(kind)) => lines.extend([
            format!("if (pm.response.code === 200 && !pm.collectionVariables.get('{kind}')) {{"),
            "    const first = (pm.response.json().data || [])[0];".to_owned(),
            "    if (first) {".to_owned(),
            format!("        pm.collectionVariables.set('{kind}', first.id);"),
            "    }".to_owned(),
            "}".to_owned(),
        ]),
        _ => {}
    }
    match operation.id {
        "log_in" | "refresh_tokens" => {
            lines.push("if (pm.response.code === 200) {".to_owned());
            lines.push("    const tokens = pm.response.json();".to_owned());
            lines.extend(indented(KEEP, 4));
            lines.push("}".to_owned());
        }
        "log_out" => lines.push("pm.collectionVariables.set('access_token', '');".to_owned()),
        _ => {}
    }
    Ok(lines.join("\n"))
}

fn indented(text: &str, by: usize) -> Vec<String> {
    text.lines().map(|line| format!("{:by$}{line}", "")).collect()
}

fn script(listen: &str, text: &str) -> Value {
    json!({
        "listen": listen,
        "script": { "type": "text/javascript", "exec": text.lines().collect::<Vec<_>>() },
    })
}

/// The variable that holds the id which a path takes: `/leads/{id}/claim` takes `lead_id`.
///
/// The word before the id names the kind; the first word would name a part of the API (`/auth/sessions/{id}`).
fn known_by(path: &str) -> Option<String> {
    id_of(last_word(path.split_once("/{id}")?.0))
}

fn last_word(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// `lead_id` of `leads`. This is enough of English as long as those who set a variable and those who read it ask here:
/// a wrong singular would be the same for both.
fn id_of(word: &str) -> Option<String> {
    let one = match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word.strip_suffix('s')?.to_owned(),
    };
    Some(format!("{}_id", one.replace('-', "_")))
}

/// Something to begin with: the parameter's example, or what its schema says.
fn example(document: &Value, parameter: &Value) -> Result<String> {
    if let Some(example) = parameter.get("example") {
        return Ok(shown(example));
    }
    let mut schema = resolved(document, &parameter["schema"])?;
    if let Some(items) = schema.get("items") {
        schema = resolved(document, items)?;
    }
    let said = [&schema["examples"][0], &schema["default"], &schema["enum"][0]];
    Ok(said.into_iter().find(|value| !value.is_null()).map(shown).unwrap_or_default())
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a `$ref` stands for.
fn resolved<'document>(document: &'document Value, value: &'document Value) -> Result<&'document Value> {
    let mut value = value;
    while let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        let place = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        value = place.with_context(|| format!("{reference} is not there"))?;
    }
    Ok(value)
}

fn text<'value>(value: &'value Value, member: &str) -> Result<&'value str> {
    value[member].as_str().with_context(|| format!("`{member}` is no text"))
}

fn array<'value>(value: &'value Value, member: &str) -> Result<&'value Vec<Value>> {
    value[member].as_array().with_context(|| format!("`{member}` is no list"))
}

fn object<'value>(value: &'value Value, member: &str) -> Result<&'value Map<String, Value>> {
    value[member].as_object().with_context(|| format!("`{member}` is no object"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn committed(name: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
    }

    /// Every request of the collection of the committed document, by the id of its operation.
    fn requests() -> BTreeMap<String, Value> {
        let document = serde_json::from_str(&committed("openapi/fairlead.v1.json")).unwrap();
        let folders = collection(&document).unwrap();
        let requests =
            folders["item"].as_array().unwrap().iter().flat_map(|folder| folder["item"].as_array().unwrap());
        requests.map(|request| (request["id"].as_str().unwrap().to_owned(), request.clone())).collect()
    }

    #[test]
    fn the_committed_collection_is_that_of_the_committed_document() {
        let printed = print(&committed("openapi/fairlead.v1.json")).unwrap();
        assert!(
            printed == committed("examples/postman/fairlead.postman_collection.json"),
            "the collection is out of date: run `cargo xtask openapi` and commit it"
        );
    }

    #[test]
    fn every_operation_has_a_request() {
        let document: Value = serde_json::from_str(&committed("openapi/fairlead.v1.json")).unwrap();
        assert_eq!(requests().len(), operations(&document).unwrap().len());
    }

    #[test]
    fn ids_are_those_of_the_kind_that_the_path_names() {
        for (path, variable) in [
            ("/api/v1/leads/{id}", "lead_id"),
            ("/api/v1/opportunities/{id}/advance", "opportunity_id"),
            ("/api/v1/price-lists/{id}", "price_list_id"),
            ("/api/v1/public-pool/customers/{id}/claim", "customer_id"),
        ] {
            assert_eq!(known_by(path).as_deref(), Some(variable), "{path}");
        }
        assert_eq!(known_by("/api/v1/leads"), None);
        assert_eq!(known_by("/api/v1/staff/{id}"), None);
        let requests = requests();
        assert_eq!(
            requests["qualify_lead"]["request"]["url"]["raw"],
            "{{base_url}}/api/v1/leads/:id/qualify"
        );
        assert_eq!(requests["qualify_lead"]["request"]["url"]["variable"][0]["value"], "{{lead_id}}");
    }

    #[test]
    fn what_is_asked_for_is_sent_and_the_rest_is_offered() {
        let requests = requests();
        let sent = |id: &str| {
            let header = requests[id]["request"]["header"].as_array().unwrap().iter();
            header
                .filter(|row| row.get("disabled").is_none())
                .map(|row| format!("{}: {}", row["key"].as_str().unwrap(), row["value"].as_str().unwrap()))
                .collect::<Vec<_>>()
        };
        assert_eq!(sent("update_lead"), ["Content-Type: application/merge-patch+json", "If-Match: *"]);
        assert_eq!(sent("create_lead"), ["Content-Type: application/json", "Idempotency-Key: {{$guid}}"]);
        assert_eq!(sent("list_leads"), [""; 0]);
        let query = requests["list_leads"]["request"]["url"]["query"].as_array().unwrap();
        assert!(query.iter().all(|row| row["disabled"] == true && row["description"].is_string()));
        assert_eq!(requests["log_in"]["request"]["auth"]["type"], "noauth");
        assert!(requests["get_me"]["request"].get("auth").is_none());
    }

    #[test]
    fn bodies_are_the_examples_with_what_is_known() {
        let requests = requests();
        let body = |id: &str| -> Value {
            serde_json::from_str(requests[id]["request"]["body"]["raw"].as_str().unwrap()).unwrap()
        };
        assert_eq!(body("log_in"), json!({ "email": "{{email}}", "password": "{{password}}" }));
        assert_eq!(body("create_contact")["customer_id"], "{{customer_id}}");
        assert_eq!(body("create_contact")["decision_role"], "decision_maker");
    }
}
