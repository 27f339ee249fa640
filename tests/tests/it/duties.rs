//! Separation of duties as one table: who may decide what, in which circumstances.

use serde_json::json;

use crate::support::{Answer, Company, Person, Server};

on_both_databases! {
    who_may_decide_what;
}

/// Of a contract of a seller, which waits for the manager of its owner and then for finance: what each is told when
/// they agree to the first step, to the second one, and to the second one after the first. `may` is that their decision
/// counts; `duties` is 409 `separation_of_duties`, for whom the step names but for what they have to do with it; `not` is
/// 403, `hidden` is 404.
const TABLE: &str = "
                                              first    second   both
    the owner who asked                       not      not      -
    the owner, for whom the manager asked     not      not      -
    a colleague of the owner                  hidden   hidden   -
    the manager                               may      not      not
    the manager who asked                     duties   not      -
    the manager who owns it                   duties   not      -
    the manager of another team               hidden   hidden   -
    the director                              may      not      not
    finance                                   not      may      -
    finance who asked                         duties   duties   -
    manager and finance in one                may      may      duties
    the administrator                         not      not      -
    the auditor                               not      not      -
    marketing                                 hidden   hidden   -
    marketing, delegate of the manager        may      hidden   not
    marketing, delegate of finance            hidden   may      -
    marketing, delegate of both               may      may      duties
    the owner, delegate of the manager        duties   not      -
    the owner, delegate of finance            not      duties   -
    the manager, delegate of finance          may      may      duties
    delegate of a manager who owns it         hidden   hidden   -
    finance, made a seller meanwhile          hidden   hidden   -
    a seller, made finance meanwhile          not      may      -
    the auditor, added by the manager         may      not      not
";

async fn approve(by: &Person, approval: &str) -> Answer {
    by.client.post(&format!("/approvals/{approval}/approve"), json!({})).await
}

fn word(answer: &Answer) -> &'static str {
    match (answer.status, answer.body["code"].as_str()) {
        (200, _) => "may",
        (409, Some("separation_of_duties")) => "duties",
        (403, Some("forbidden")) => "not",
        (404, Some("not_found")) => "hidden",
        _ => panic!("{} {}", answer.status, answer.text),
    }
}

/// A circumstance: a company of its own, who asks, who owns, who tries, and what happens before and while it waits.
struct Case<'a> {
    company: &'a Company,
    owner: &'a Person,
    asks: &'a Person,
    tries: &'a Person,
    /// Whose decisions the one who tries may make.
    delegated: Vec<&'a Person>,
    /// The roles of the one who tries, before it waits and while it does.
    roles: (Option<Vec<&'static str>>, Option<Vec<&'static str>>),
    /// Whether the manager adds them.
    added: bool,
}

impl<'a> Case<'a> {
    fn of(company: &'a Company, name: &str) -> Self {
        let Company {
            rep,
            colleague,
            manager,
            other_manager,
            director,
            finance,
            marketing,
            auditor,
            admin,
            ..
        } = company;
        let plain = |tries: &'a Person| Case {
            company,
            owner: rep,
            asks: rep,
            tries,
            delegated: Vec::new(),
            roles: (None, None),
            added: false,
        };
        match name {
            "the owner who asked" => plain(rep),
            "the owner, for whom the manager asked" => Case { asks: manager, ..plain(rep) },
            "a colleague of the owner" => plain(colleague),
            "the manager" => plain(manager),
            "the manager who asked" => Case { asks: manager, ..plain(manager) },
            "the manager who owns it" => Case { owner: manager, asks: manager, ..plain(manager) },
            "the manager of another team" => plain(other_manager),
            "the director" => plain(director),
            "finance" => plain(finance),
            // Finance asks for nobody; as a director they may.
            "finance who asked" => Case {
                asks: finance,
                roles: (Some(vec!["finance", "sales_director"]), None),
                ..plain(finance)
            },
            "manager and finance in one" => {
                Case { roles: (Some(vec!["sales_manager", "finance"]), None), ..plain(manager) }
            }
            "the administrator" => plain(admin),
            "the auditor" => plain(auditor),
            "marketing" => plain(marketing),
            "marketing, delegate of the manager" => Case { delegated: vec![manager], ..plain(marketing) },
            "marketing, delegate of finance" => Case { delegated: vec![finance], ..plain(marketing) },
            "marketing, delegate of both" => Case { delegated: vec![manager, finance], ..plain(marketing) },
            "the owner, delegate of the manager" => Case { delegated: vec![manager], ..plain(rep) },
            "the owner, delegate of finance" => Case { delegated: vec![finance], ..plain(rep) },
            "the manager, delegate of finance" => Case { delegated: vec![finance], ..plain(manager) },
            "delegate of a manager who owns it" => {
                Case { owner: manager, asks: manager, delegated: vec![manager], ..plain(marketing) }
            }
            "finance, made a seller meanwhile" => {
                Case { roles: (None, Some(vec!["sales_rep"])), ..plain(finance) }
            }
            "a seller, made finance meanwhile" => {
                Case { roles: (None, Some(vec!["finance"])), ..plain(colleague) }
            }
            "the auditor, added by the manager" => Case { added: true, ..plain(auditor) },
            other => panic!("no such circumstance: {other}"),
        }
    }

    async fn set_roles(&self, roles: Option<&Vec<&'static str>>) {
        if let Some(roles) = roles {
            let path = format!("/users/{}", self.tries.id);
            self.company.admin.client.patch(&path, json!({ "roles": roles })).await.expect(200);
        }
    }

    /// A request in these circumstances.
    async fn asked(&self) -> String {
        let contract = self.company.draft(self.owner, "1000.00", "by_contract").await;
        self.asks.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        self.company.pending(&contract).await
    }

    async fn add(&self, approval: &str) {
        if self.added {
            let form = json!({"user_id": self.tries.id, "place": "before"});
            self.company
                .manager
                .client
                .post(&format!("/approvals/{approval}/add-step"), form)
                .await
                .expect(200);
        }
    }

    /// Somebody who may decides the present step.
    async fn decided_by_somebody(&self, approval: &str) {
        for person in [&self.company.director, &self.company.manager, &self.company.finance_two] {
            if person.id != self.tries.id && approve(person, approval).await.status == 200 {
                return;
            }
        }
        panic!("nobody decided {approval}");
    }

    async fn outcomes(&self, both: bool) -> Vec<&'static str> {
        self.set_roles(self.roles.0.as_ref()).await;
        for person in &self.delegated {
            let form = json!({
                "user_id": person.id, "delegate_id": self.tries.id, "starts_at": "2026-01-01T00:00:00Z",
                "ends_at": "2999-01-01T00:00:00Z", "reason": "Away",
            });
            self.company.admin.client.post("/delegations", form).await.expect(201);
        }
        let (first, second, third) = (self.asked().await, self.asked().await, self.asked().await);
        // The step that was added is theirs; the others have been decided or come later.
        self.add(&first).await;
        self.decided_by_somebody(&second).await;
        if self.added {
            self.add(&third).await;
        }
        self.set_roles(self.roles.1.as_ref()).await;
        let mut words =
            vec![word(&approve(self.tries, &first).await), word(&approve(self.tries, &second).await)];
        if both {
            approve(self.tries, &third).await.expect(200);
            if self.added {
                self.decided_by_somebody(&third).await;
            }
            words.push(word(&approve(self.tries, &third).await));
        } else {
            words.push("-");
        }
        words
    }
}

async fn who_may_decide_what(server: Server) {
    let company = Company::found(&server).await;
    let mut wrong = Vec::new();
    for line in TABLE.lines().filter(|line| !line.trim().is_empty()).skip(1) {
        let (name, words) = line.trim().split_once("  ").unwrap();
        let wanted: Vec<&str> = words.split_whitespace().collect();
        let case = Case::of(&company, name);
        let found = case.outcomes(wanted[2] != "-").await;
        if found != wanted {
            wrong.push(format!("{name}: {found:?} instead of {wanted:?}"));
        }
        restore(&company).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everybody has their own role again, and decides for themselves.
async fn restore(company: &Company) {
    for delegation in company.admin.client.all("/delegations").await {
        let path = format!("/delegations/{}", delegation["id"].as_str().unwrap());
        company.admin.client.delete(&path).await.expect(204);
    }
    for (person, role) in [
        (&company.manager, "sales_manager"),
        (&company.finance, "finance"),
        (&company.colleague, "sales_rep"),
    ] {
        let path = format!("/users/{}", person.id);
        company.admin.client.patch(&path, json!({"roles": [role]})).await.expect(200);
    }
}
