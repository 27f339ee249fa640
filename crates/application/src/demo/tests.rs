use std::collections::BTreeSet;

use fairlead_domain::access::BUILT_IN;
use fairlead_domain::contract::InstallmentStatus;
use fairlead_domain::valid::Valid;
use secrecy::SecretString;

use super::{DemoAccount, accounts, seed};
use crate::app::{App, AppConfig, DatabaseConfig};
use crate::call::{Call, Caller, Page};
use crate::listing::{ListRequest, Listing};
use crate::{
    FilesConfig, activities, approvals, audit, contacts, contracts, customers, invoices, leads,
    opportunities, payments, pool, roles, session, users, verify,
};

async fn open(directory: &tempfile::TempDir) -> App {
    let config = AppConfig {
        database: DatabaseConfig {
            url: SecretString::from(format!("sqlite:{}", directory.path().join("demo.db").display())),
            max_connections: 4,
            acquire_timeout_ms: 5_000,
        },
        files: FilesConfig::folder(&directory.path().join("files")),
        issuer: "fairlead".to_owned(),
        audience: "fairlead".to_owned(),
        access_token_minutes: 10,
        refresh_token_days: 30,
        password_memory_kib: 64,
        hashing_threads: 2,
        webhook_targets: fairlead_domain::webhook::Targets::default(),
    };
    let app = App::open(config).await.unwrap();
    app.migrate().await.unwrap();
    app
}

fn ask(listing: &'static Listing, query: &[(&str, &str)]) -> ListRequest {
    let query = query.iter().chain(&[("limit", "200")]);
    let query: Vec<_> = query.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    listing.parse(&query).unwrap()
}

fn all<T>(page: Page<T>) -> Vec<T> {
    assert!(!page.page.has_more);
    page.data
}

/// Who someone is, by their address.
async fn call_of(app: &App, email: &str) -> Call {
    let (user, _) = app.store().credentials(email).await.unwrap().unwrap();
    Call::new(Caller { user, session: None }, "test")
}

/// How many records a list shows for a filter.
macro_rules! count {
    ($app:expr, $call:expr, $resource:ident, $query:expr) => {
        all($resource::list($app, $call, ask(&$resource::LISTING, $query)).await.unwrap()).len()
    };
}

#[tokio::test]
async fn the_demo_tells_the_whole_chain_and_adds_up() {
    let directory = tempfile::tempdir().unwrap();
    let app = open(&directory).await;
    let seeded = seed(&app).await.unwrap();
    look(&app, &seeded).await;
}

// Apart from the seeding: what this many questions take of the stack would lie below it.
async fn look(app: &App, seeded: &[DemoAccount]) {
    let roles_of = |accounts: &[DemoAccount]| -> BTreeSet<String> {
        accounts.iter().map(|account| account.role.clone()).collect()
    };
    let built_in: BTreeSet<String> = BUILT_IN.iter().map(|role| role.key.to_owned()).collect();
    assert_eq!(roles_of(&seeded[..BUILT_IN.len()]), built_in, "one account for every role comes first");
    assert_eq!(roles_of(&accounts()), built_in);

    let auditor = call_of(app, "auditor@demo.fairlead.example").await;
    let call = &auditor;
    assert_eq!(count!(app, call, users, &[]), seeded.len());
    assert_eq!(count!(app, call, roles, &[]), BUILT_IN.len() + 1, "and one of its own");
    assert!(count!(app, call, contacts, &[]) > 40);

    // Leads.
    let leads = count!(app, call, leads, &[]);
    assert!((28..=36).contains(&leads), "{leads} leads");
    let now = app.now().to_string();
    for query in [
        &[("status", "new"), ("owner_id_is_null", "true")][..],
        &[("status", "new"), ("owner_id_is_null", "false"), ("response_due_at_gt", &now)],
        &[("status", "new"), ("owner_id_is_null", "false"), ("response_due_at_lt", &now)],
        &[("status", "contacted")],
        &[("status", "qualified")],
        &[("status", "converted")],
        &[("status", "disqualified")],
    ] {
        assert!(count!(app, call, leads, query) > 2, "{query:?}");
    }

    // Customers.
    let customers = count!(app, call, customers, &[]);
    let pooled = count!(app, call, pool, &[]);
    assert!((38..=46).contains(&customers), "{customers} customers");
    assert!(pooled * 4 > customers && pooled * 5 < customers * 2, "{pooled} of {customers} in the pool");
    for query in [
        [("kind", "person")],
        [("lifecycle", "potential")],
        [("lifecycle", "engaged")],
        [("lifecycle", "signed")],
    ] {
        assert!(count!(app, call, customers, &query) > 2, "{query:?}");
    }
    for query in [[("previous_owner_id_is_null", "true")], [("previous_owner_id_is_null", "false")]] {
        assert!(count!(app, call, pool, &query) > 2, "{query:?}");
    }

    // Activities.
    for kind in ["call", "email", "meeting", "message", "note", "task"] {
        assert!(count!(app, call, activities, &[("kind", kind)]) > 0, "{kind}");
    }
    for about in ["lead", "customer", "contact", "opportunity", "contract"] {
        assert!(count!(app, call, activities, &[("about_kind", about)]) > 0, "{about}");
    }

    // Opportunities, along every stage.
    for status in ["open", "won", "lost"] {
        assert!(count!(app, call, opportunities, &[("status", status)]) > 1, "{status}");
    }
    let probabilities: BTreeSet<i64> =
        all(opportunities::list(app, call, ask(&opportunities::LISTING, &[])).await.unwrap())
            .into_iter()
            .map(|opportunity| opportunity.record.probability)
            .collect();
    assert_eq!(probabilities, BTreeSet::from([0, 10, 25, 50, 75, 90, 100]));

    // Contracts and what they wait for.
    for query in [
        &[("status", "draft")][..],
        &[("status", "pending_approval")],
        &[("status", "active"), ("collection_scheme", "by_invoice")],
        &[("status", "active"), ("collection_scheme", "by_contract")],
        &[("status", "completed"), ("collection_scheme", "by_invoice")],
        &[("status", "completed"), ("collection_scheme", "by_contract")],
        &[("status", "terminated")],
        &[("status", "cancelled")],
    ] {
        assert!(count!(app, call, contracts, query) > 0, "{query:?}");
    }
    assert_eq!(count!(app, call, contracts, &[("amount_gt", "0 USD")]), 1);
    assert!(count!(app, call, approvals, &[("status", "rejected")]) > 0);
    for (who, kind) in [
        ("manager.east", "contract"),
        ("manager.east", "invoice"),
        ("finance", "contract"),
        ("finance", "invoice"),
    ] {
        let inbox = call_of(app, &format!("{who}@demo.fairlead.example")).await;
        let waiting = [("box", "waiting"), ("subject_kind", kind)];
        assert!(count!(app, &inbox, approvals, &waiting) > 0, "{kind} for {who}");
    }

    // Installments.
    let mut installments = Vec::new();
    let of_contracts = ask(&contracts::LISTING, &[]);
    for contract in all(contracts::list(app, call, of_contracts).await.unwrap()) {
        let billing = contracts::billing(app, call, contract.record.id).await.unwrap();
        installments.extend(billing.installments);
    }
    for status in InstallmentStatus::ALL {
        assert!(installments.iter().any(|part| part.status == *status), "{status}");
    }
    let partly = |status| installments.iter().any(|part| part.status == status && part.paid.is_positive());
    assert!(partly(InstallmentStatus::Overdue));

    // Invoices and payments.
    for status in ["draft", "pending_approval", "approved", "issued", "voided", "cancelled"] {
        assert!(count!(app, call, invoices, &[("status", status)]) > 0, "{status}");
    }
    let of_invoices = ask(&invoices::LISTING, &[]);
    let partly_paid = all(invoices::list(app, call, of_invoices).await.unwrap()).into_iter().any(|invoice| {
        invoice.record.paid.is_positive() && invoice.record.paid != invoice.record.details.amount
    });
    assert!(partly_paid);
    for status in ["recorded", "confirmed", "rejected", "reversed"] {
        assert!(count!(app, call, payments, &[("status", status)]) > 0, "{status}");
    }

    // The sums add up, and the trail tells it in order of time.
    let report = verify::run(app).await.unwrap();
    assert_eq!(report.differences, Vec::<String>::new());
    let mut cursor: Option<String> = None;
    let mut last = None;
    let mut events = 0;
    loop {
        let mut query = vec![("sort", "sequence"), ("actor_id_is_null", "false")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = audit::list(app, call, ask(&audit::LISTING, &query)).await.unwrap();
        for event in page.data {
            assert!(last <= Some(event.occurred_at), "event {} is out of time", event.sequence);
            last = Some(event.occurred_at);
            events += 1;
        }
        cursor = page.page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert!(events > 500 && last <= Some(app.now()), "{events} events");

    // Everybody can log in; a second seeding changes nothing.
    let head = report.checked.clone();
    assert_eq!(seed(app).await.unwrap().len(), seeded.len());
    assert_eq!(verify::run(app).await.unwrap().checked, head);
    for account in seeded {
        let form = serde_json::json!({ "email": account.email, "password": account.password });
        let form = Valid::check(serde_json::from_value(form).unwrap()).unwrap();
        session::login(app, "test", "here", form).await.unwrap();
    }
}
