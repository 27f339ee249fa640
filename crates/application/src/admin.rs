//! The first steps of an installation: somebody who can log in, a pipeline to sell along, and who approves what.

use fairlead_domain::access::RoleKey;
use fairlead_domain::context::Event;
use fairlead_domain::error::Refusal;
use fairlead_domain::organisation::{Locale, User, UserDetails, UserStatus};
use fairlead_domain::pipeline::{Pipeline, PipelineDetails, RequiredField, Stage, StageKind};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Email, Line};
use fairlead_persistence::{Predicate, Work};
use secrecy::SecretString;
use validator::Validate;

use crate::app::App;
use crate::approval_flows;
use crate::call::Failure;
use crate::passwords::Password;

/// Whether anybody can log in yet.
pub async fn has_users(app: &App) -> Result<bool, Failure> {
    let work = app.store().begin(app.author(None, "start"), None).await?;
    let users = work.count("users", Predicate::True).await?;
    work.roll_back().await?;
    Ok(users > 0)
}

/// Makes the first administrator, the default pipeline and the approval flows. Says `false` when there are users
/// already: then nothing happens.
pub async fn create_first_administrator(
    app: &App,
    email: &str,
    name: &str,
    password: SecretString,
) -> Result<bool, Failure> {
    let password = Password::new(password);
    password.validate().map_err(Refusal::from)?;
    let details = Valid::check(UserDetails {
        email: Email::from(email.to_owned()),
        display_name: Line::from(name.to_owned()),
        team_id: None,
        roles: vec![RoleKey("admin".to_owned())],
        locale: Locale::En,
    })?;
    let hash = app.inner.passwords.hash(password.secret()).await?;
    let mut work = app.store().begin(app.author(None, "start"), None).await?;
    // Of two servers that start at once, one makes the administrator.
    work.lock_organisation().await?;
    if work.count("users", Predicate::True).await? > 0 {
        work.roll_back().await?;
        return Ok(false);
    }
    let now = work.now();
    let user = User {
        id: work.new_id(),
        details: details.into_inner(),
        status: UserStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    work.insert(&user, Event("user.created")).await?;
    work.put_password(user.id, &hash).await?;
    default_pipeline(&mut work).await?;
    approval_flows::bring_flows(&mut work).await?;
    work.commit(None).await?;
    app.reload_organisation().await?;
    Ok(true)
}

async fn default_pipeline(work: &mut Work) -> Result<(), Failure> {
    if work.count("pipelines", Predicate::True).await? > 0 {
        return Ok(());
    }
    let stage = |name: &str, probability, kind, required_fields, max_days| Stage {
        id: Some(work.new_id()),
        name: Line::new(name),
        probability,
        kind,
        starts_contract: false,
        needs_approval: false,
        required_fields,
        max_days,
    };
    let mut stages = vec![
        stage("Qualification", 10, StageKind::Open, vec![], Some(14)),
        stage("Needs analysis", 25, StageKind::Open, vec![], Some(21)),
        stage("Proposal", 50, StageKind::Open, vec![RequiredField::Amount], Some(21)),
        stage(
            "Negotiation",
            75,
            StageKind::Open,
            vec![RequiredField::Amount, RequiredField::ExpectedCloseOn],
            Some(30),
        ),
        stage("Signing", 90, StageKind::Open, vec![RequiredField::Amount], Some(30)),
        stage("Won", 100, StageKind::Won, vec![], None),
        stage("Lost", 0, StageKind::Lost, vec![], None),
    ];
    if let Some(signing) = stages.get_mut(4) {
        signing.starts_contract = true;
    }
    let details = PipelineDetails { name: Line::new("Standard sales"), is_default: true, stages };
    let details = Valid::check(details)?.into_inner();
    let now = work.now();
    let pipeline = Pipeline { id: work.new_id(), details, version: 1, created_at: now, updated_at: now };
    Ok(work.insert(&pipeline, Event("pipeline.created")).await?)
}
