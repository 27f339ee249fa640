use fairlead_domain::lead::{Lead, LeadDetails};
use fairlead_domain::values::{Email, Phone};

use crate::member::members;
use crate::stored::stored;

members!(LeadDetails {
    name,
    company,
    title,
    phone,
    email,
    source,
    campaign,
    region,
    industry,
    interest,
    budget,
    expected_purchase_on,
    tags,
    note,
});
stored!(Lead, "leads" {
    id, details, owner_id, status, disqualify_reason, response_due_at, first_responded_at, last_activity_at,
    converted_customer_id, converted_contact_id, converted_opportunity_id, converted_at, created_by, version,
    created_at, updated_at,
} derived {
    "phone_key" = |lead| lead.details.phone.as_ref().map(Phone::normalised),
    "email_key" = |lead| lead.details.email.as_ref().map(Email::normalised),
});
