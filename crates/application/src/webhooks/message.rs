//! What receivers are sent, and how they know that it is from here (Standard Webhooks 1.0.0).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fairlead_domain::record::RecordKind;
use fairlead_domain::values::{Timestamp, UserId, WebhookId};
use fairlead_domain::webhook::{PING, WebhookDelivery};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::visibility::FollowedKind;

/// What secrets begin with where people see them.
pub(super) const SECRET_PREFIX: &str = "whsec_";

/// What a receiver is told of an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventMessage {
    /// What happened, such as `contract.submitted`.
    #[serde(rename = "type")]
    #[schema(max_length = 80, example = "contract.submitted")]
    pub kind: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// To which record.
    pub data: HappenedData,
}

/// To which record something happened. Ask for the record itself to know more.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HappenedData {
    /// The kind of record.
    pub record_kind: FollowedKind,
    /// Which record.
    pub record_id: Uuid,
    /// Who did it; none when Fairlead itself.
    #[schema(required)]
    pub actor_id: Option<UserId>,
    /// The event's place among all events: what has the greater one happened later.
    #[schema(minimum = 1, example = 4711)]
    pub sequence: i64,
}

/// What a receiver is sent to try whether it answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PingMessage {
    /// Always `webhook.ping`.
    #[serde(rename = "type")]
    #[schema(max_length = 80, example = "webhook.ping")]
    pub kind: String,
    /// When it was asked for.
    pub timestamp: Timestamp,
    /// Of which webhook.
    pub data: PingData,
}

/// Which webhook is tried.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PingData {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// Who tries it.
    #[schema(required)]
    pub actor_id: Option<UserId>,
}

/// The body of a delivery's message: the same however often it is sent.
pub(super) fn body(delivery: &WebhookDelivery) -> Option<String> {
    if delivery.event == PING {
        let data = PingData { webhook_id: delivery.webhook_id, actor_id: delivery.actor_id };
        let message = PingMessage { kind: PING.to_owned(), timestamp: delivery.occurred_at, data };
        return serde_json::to_string(&message).ok();
    }
    let kind: RecordKind = delivery.record_kind?;
    let message = EventMessage {
        kind: delivery.event.clone(),
        timestamp: delivery.occurred_at,
        data: HappenedData {
            record_kind: kind.as_str().parse().ok()?,
            record_id: delivery.record_id?,
            actor_id: delivery.actor_id,
            sequence: delivery.sequence?,
        },
    };
    serde_json::to_string(&message).ok()
}

/// The header `webhook-signature`: one signature for each secret that is good, with spaces between them.
pub(super) fn signatures(secrets: &[Vec<u8>], id: &str, timestamp: i64, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let signatures: Vec<String> = secrets.iter().map(|secret| signature(secret, &signed)).collect();
    signatures.join(" ")
}

fn signature(secret: &[u8], signed: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut hash = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    hash.update(signed.as_bytes());
    format!("v1,{}", STANDARD.encode(hash.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the libraries of Standard Webhooks.
    #[test]
    fn a_signature_is_as_the_standard_has_it() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            signatures(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_secrets_change_there_are_two_signatures() {
        let both = signatures(&[vec![1; 32], vec![2; 32]], "id", 1, "{}");
        let each: Vec<&str> = both.split(' ').collect();
        assert_eq!(each.len(), 2);
        assert_ne!(each[0], each[1]);
        assert_eq!(each[1], signatures(&[vec![2; 32]], "id", 1, "{}"));
    }
}
