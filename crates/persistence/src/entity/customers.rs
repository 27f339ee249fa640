use fairlead_domain::activity::{Activity, ActivityDetails, Subject};
use fairlead_domain::contact::{Contact, ContactDetails};
use fairlead_domain::customer::{
    Collaborator, CollaboratorDetails, Customer, CustomerDetails, OwnershipRecord,
};
use fairlead_domain::values::{Email, Phone};
use sea_orm::Value;

use crate::error::StoreError;
use crate::member::{Member, Row, members};
use crate::stored::{kept, stored};

members!(CustomerDetails {
    kind,
    name,
    registration_number,
    source,
    grade,
    industry,
    region,
    address,
    scale,
    phone,
    email,
    website,
    tags,
    tax_profiles,
    note,
});
stored!(Customer, "customers" {
    id, details, owner_id, pool_id, locked, lifecycle, furthest, last_activity_at, next_activity_at,
    owned_since, pooled_at, pool_reason, recycle_on, previous_owner_id, created_by, version, created_at,
    updated_at,
} derived {
    "name_key" = |customer| Some(customer.details.name_key()),
    "registration_key" = |customer| customer.details.registration_key(),
    "phone_key" = |customer| customer.details.phone.as_ref().map(Phone::normalised),
    "email_key" = |customer| customer.details.email.as_ref().map(Email::normalised),
});

members!(OwnershipRecord {
    id,
    customer_id,
    merged_from_id,
    from_id,
    to_id,
    cause,
    reason,
    job_id,
    actor_id,
    occurred_at
});
kept!(OwnershipRecord, "ownership_history");

members!(CollaboratorDetails { customer_id, user_id, access });
stored!(Collaborator, "collaborators" { id, details, created_by, version, created_at, updated_at });

members!(ContactDetails {
    customer_id,
    name,
    title,
    department,
    phone,
    email,
    wechat,
    birthday,
    decision_role,
    is_primary,
    note,
});
stored!(Contact, "contacts" { id, details, created_by, version, created_at, updated_at } derived {
    "phone_key" = |contact| contact.details.phone.as_ref().map(Phone::normalised),
    "email_key" = |contact| contact.details.email.as_ref().map(Email::normalised),
});

impl Member for Subject {
    fn columns(name: &str, out: &mut Vec<String>) {
        out.push(format!("{name}_kind"));
        out.push(format!("{name}_id"));
    }
    fn put(&self, out: &mut Vec<Value>) {
        self.kind.put(out);
        self.id.put(out);
    }
    fn take(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self { kind: row.member()?, id: row.member()? })
    }
}
members!(ActivityDetails { about, kind, subject, content, happened_at, due_at, next_step, next_step_at });
stored!(Activity, "activities" {
    id, details, lead_id, customer_id, created_by, version, created_at, updated_at,
});
