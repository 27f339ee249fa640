use fairlead_domain::lead::{
    AssignmentRule, AssignmentRuleDetails, Lead, LeadDetails, LeadForm, LeadFormDetails, Score, ScoringRule,
    ScoringRuleDetails,
};
use fairlead_domain::values::{Email, Phone, company_key};

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
members!(Score { score, grade, score_lines, score_basis });
stored!(Lead, "leads" {
    id, details, owner_id, previous_owner_id, score, status, disqualify_reason, response_due_at, reminded_at,
    first_responded_at, last_activity_at,
    converted_customer_id, converted_contact_id, converted_opportunity_id, converted_at, created_by, version,
    created_at, updated_at,
} derived {
    "company_key" = |lead| lead.details.company.as_ref().map(|company| company_key(company.as_str())),
    "phone_key" = |lead| lead.details.phone.as_ref().map(Phone::normalised),
    "email_key" = |lead| lead.details.email.as_ref().map(Email::normalised),
});

members!(ScoringRuleDetails { name, field, operator, value, points, active });
stored!(ScoringRule, "scoring_rules" { id, details, version, created_at, updated_at });

members!(AssignmentRuleDetails { name, position, active, sources, regions, grades, user_id, team_id });
stored!(AssignmentRule, "assignment_rules" { id, details, version, created_at, updated_at });

members!(LeadFormDetails { name, source, campaign, fields, required, allowed_origins, hourly_limit, active });
stored!(LeadForm, "lead_forms" { id, details, token, created_by, version, created_at, updated_at });
