//! API2: only the access tokens that Fairlead itself signed for itself let anybody in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::Connection;

use crate::support::{Client, Company, Database, Kind, Server};

on_both_databases! {
    forged_tokens_are_refused;
    other_credentials_are_no_access_tokens;
    the_published_keys_verify_tokens;
}

/// The key that signs this server's tokens, from its database.
async fn signing_key(database: &Database) -> SigningKey {
    const QUERY: &str = "SELECT secret FROM signing_keys";
    let seed: Vec<u8> = match database.kind {
        Kind::Sqlite => {
            let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
            sqlx::query_scalar(QUERY).fetch_one(&mut connection).await.unwrap()
        }
        Kind::Postgres => {
            let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
            sqlx::query_scalar(QUERY).fetch_one(&mut connection).await.unwrap()
        }
    };
    SigningKey::from_bytes(seed.as_slice().try_into().unwrap())
}

/// Header and claims of a token.
fn read(token: &str) -> (Value, Value) {
    let part = |at| {
        let text = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let message = unsigned(header, claims);
    let signature = key.sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn mac(key: &[u8], header: &Value, claims: &Value) -> String {
    let message = unsigned(header, claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The same object with one member changed, or taken out by `null`.
fn with(object: &Value, member: &str, value: Value) -> Value {
    let mut changed = object.clone();
    if value.is_null() {
        changed.as_object_mut().unwrap().remove(member);
    } else {
        changed[member] = value;
    }
    changed
}

async fn refuse(client: &Client, what: &str, token: &str, wrong: &mut Vec<String>) {
    // The second time tells whether a refusal is remembered as something else.
    for _ in 0..2 {
        let answer = client.with_token(token).get("/me").await;
        let challenged = answer.header("www-authenticate").starts_with("Bearer");
        if answer.status != 401 || answer.body["code"] != "unauthenticated" || !challenged {
            wrong.push(format!("{what}: {} {}", answer.status, answer.text));
        }
    }
}

async fn forged_tokens_are_refused(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.rep.client;
    let token = client.token.clone().unwrap();
    let (header, claims) = read(&token);
    let (kid, issued) = (header["kid"].clone(), claims["iat"].as_i64().unwrap());
    let key = signing_key(&server.database).await;
    let own = |header: &Value, claims: &Value| signed(&key, header, claims);
    let stranger = SigningKey::from_bytes(&rand::random());
    let public = key.verifying_key().to_bytes();
    let published = URL_SAFE_NO_PAD.encode(public);

    // What follows proves nothing unless a token made like this is good.
    client.with_token(&own(&header, &claims)).get("/me").await.expect(200);

    let mut forged: Vec<(String, String)> = Vec::new();
    let mut forge = |what: &str, token: String| forged.push((what.to_owned(), token));
    for none in ["none", "None", "NONE"] {
        let header = with(&header, "alg", json!(none));
        forge(none, format!("{}.", unsigned(&header, &claims)));
        forge(none, own(&header, &claims));
    }
    // The public key as a shared secret, in every form in which it is at hand.
    let hmac = with(&header, "alg", json!("HS256"));
    forge("HS256 with the public key", mac(&public, &hmac, &claims));
    forge("HS256 with the published key", mac(published.as_bytes(), &hmac, &claims));
    forge("HS256 without a key", mac(b"", &hmac, &claims));
    for other in ["HS256", "HS512", "RS256", "ES256", "PS256", "EdDSA ", "eddsa"] {
        forge(other, own(&with(&header, "alg", json!(other)), &claims));
    }
    forge("no alg", own(&with(&header, "alg", Value::Null), &claims));

    forge("another key under our id", signed(&stranger, &header, &claims));
    let foreign = with(&header, "kid", json!("01900000-0000-7000-8000-000000000000"));
    forge("another key under another id", signed(&stranger, &foreign, &claims));
    forge("our key under another id", own(&foreign, &claims));
    forge("our key under no id", own(&with(&header, "kid", Value::Null), &claims));
    for kid in ["", "../../../dev/null", "' OR '1'='1", "0"] {
        forge(&format!("key id {kid:?}"), signed(&stranger, &with(&header, "kid", json!(kid)), &claims));
    }
    // A key that the token brings along is nobody's key.
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(stranger.verifying_key())});
    for (what, header) in [
        ("a key in the header", with(&header, "jwk", jwk.clone())),
        ("a key in the header without id", with(&with(&header, "jwk", jwk), "kid", Value::Null)),
        ("a key elsewhere", with(&header, "jku", json!("https://example.com/jwks.json"))),
    ] {
        forge(what, signed(&stranger, &header, &claims));
    }

    for typ in [Value::Null, json!("JWT"), json!("at"), json!("rt+jwt"), json!("")] {
        forge(&format!("typ {typ}"), own(&with(&header, "typ", typ.clone()), &claims));
    }
    forge("expired", own(&header, &with(&claims, "exp", json!(issued - 1))));
    forge("expired long ago", own(&header, &with(&claims, "exp", json!(0))));
    for exp in [json!(-1), json!("9999999999"), json!(1e300), Value::Null] {
        forge(&format!("exp {exp}"), own(&header, &with(&claims, "exp", exp.clone())));
    }
    for other in [json!("another"), json!(""), json!("fairlead "), Value::Null, json!([])] {
        forge(&format!("aud {other}"), own(&header, &with(&claims, "aud", other.clone())));
        forge(&format!("iss {other}"), own(&header, &with(&claims, "iss", other.clone())));
    }
    let nobody = json!("01900000-0000-7000-8000-000000000000");
    for claim in ["sub", "sid"] {
        for value in [nobody.clone(), json!("admin"), json!(1), Value::Null] {
            forge(&format!("{claim} {value}"), own(&header, &with(&claims, claim, value.clone())));
        }
    }

    let mut wrong = Vec::new();
    for (what, token) in &forged {
        refuse(client, what, token, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "let in: {}", wrong.join("\n"));
    assert_eq!(kid, header["kid"]);
    client.get("/me").await.expect(200);
}

async fn other_credentials_are_no_access_tokens(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.rep.client;
    let token = client.token.clone().unwrap();
    let refresh = client.refresh_token.clone().unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (start, _) = message.split_once('.').unwrap();
    let admin = company.admin.client.token.clone().unwrap();
    let others_claims = admin.split('.').nth(1).unwrap();
    let mut signature_off_by_a_bit = URL_SAFE_NO_PAD.decode(signature).unwrap();
    signature_off_by_a_bit[20] ^= 1;
    let signature_off_by_a_bit = URL_SAFE_NO_PAD.encode(signature_off_by_a_bit);
    let mut wrong = Vec::new();
    for (what, token) in [
        ("the refresh token", refresh),
        ("the claims of somebody else", format!("{start}.{others_claims}.{signature}")),
        ("no signature", format!("{message}.")),
        ("no signature and no dot", message.to_owned()),
        ("half a signature", format!("{message}.{}", &signature[..signature.len() / 2])),
        ("a bit wrong", format!("{message}.{signature_off_by_a_bit}")),
        ("a part too many", format!("{token}.{signature}")),
        ("padding", format!("{token}==")),
        ("dots", "..".to_owned()),
        ("garbage", "garbage".to_owned()),
        ("much garbage", "A".repeat(4000)),
        ("base64 of garbage", format!("{0}.{0}.{0}", URL_SAFE_NO_PAD.encode([0xff; 40]))),
    ] {
        refuse(client, what, &token, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "let in: {}", wrong.join("\n"));

    let nobody = server.anonymous();
    for line in [format!("Basic {token}"), token.clone(), format!("Bearer{token}"), "Bearer".to_owned()] {
        let request = nobody.request(reqwest::Method::GET, "/me").header("authorization", &line);
        nobody.send(request).await.refused(401, "unauthenticated");
    }
    let twice =
        client.request(reqwest::Method::GET, "/me").header("authorization", format!("Bearer {token}"));
    client.send(twice).await.refused(401, "unauthenticated");
    let query = nobody.get(&format!("/me?access_token={token}")).await;
    assert_ne!(query.status, 200, "tokens do not belong into an address");
}

async fn the_published_keys_verify_tokens(server: Server) {
    let company = Company::found(&server).await;
    let keys = server.anonymous().get_root("/.well-known/jwks.json").await.expect(200).body;
    let keys = keys["keys"].as_array().unwrap();
    let token = company.rep.client.token.clone().unwrap();
    let (header, claims) = read(&token);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((1..=900).contains(&lasts), "an access token lasts {lasts} seconds");
    assert_eq!(claims["sub"], json!(company.rep.id));

    let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("the key of the token");
    for (member, value) in [("kty", "OKP"), ("crv", "Ed25519"), ("alg", "EdDSA"), ("use", "sig")] {
        assert_eq!(key[member], value);
    }
    assert!(keys.iter().all(|key| key.get("d").is_none()), "the private key is private");
    let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let public = VerifyingKey::from_bytes(public.as_slice().try_into().unwrap()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    public.verify(message.as_bytes(), &signature).expect("the token's signature");
    assert!(public.verify(&message.as_bytes()[1..], &signature).is_err());
}
