//! The guards, each with what is left without it and the tests that must notice.

/// A guard that is taken out.
pub(super) struct Mutation {
    /// What it is called here.
    pub(super) name: &'static str,
    /// What is missing then, in words.
    pub(super) without: &'static str,
    /// How it is taken out.
    pub(super) edits: &'static [Edit],
    /// The package with the tests.
    pub(super) package: &'static str,
    /// The tests by their whole names, few and fast ones. A `*` stands for each of the two databases, and on each
    /// database that is named one test must fail.
    pub(super) tests: &'static [&'static str],
}

/// A text that occurs exactly once in its file, and what takes its place.
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) text: &'static str,
    pub(super) instead: &'static str,
}

/// The package of the tests that drive the real binary.
pub(super) const END_TO_END: &str = "fairlead-tests";

/// `UPDATE` takes any version.
const ANY_VERSION: Edit = Edit {
    file: "crates/persistence/src/stored.rs",
    text: "AND version = ${expected}",
    instead: "AND (version = ${expected} OR TRUE)",
};

/// Loading locks no row of PostgreSQL, and neither does anything else that asks for the same lock.
const NO_ROW_LOCK: Edit =
    Edit { file: "crates/persistence/src/work.rs", text: "\" FOR NO KEY UPDATE\"", instead: "\"\"" };

/// Sorted by what they guard: writes, what the database itself refuses, what remains of a write, who may, who sees.
pub(super) const TABLE: &[Mutation] = &[
    Mutation {
        name: "version",
        without: "`WHERE version =` in UPDATE",
        edits: &[ANY_VERSION],
        package: "fairlead-application",
        // Behind locks and `If-Match` no request can show it.
        tests: &["app::tests::what_has_changed_meanwhile_is_not_written_over"],
    },
    Mutation {
        name: "row-lock",
        without: "FOR NO KEY UPDATE",
        edits: &[NO_ROW_LOCK],
        package: END_TO_END,
        // Races do not show it: without the lock the version sends whoever comes late back to the start.
        tests: &[
            "interleaved::nobody_is_given_anything_while_being_disabled",
            "interleaved::postgres::a_password_is_changed_by_whoever_knows_the_present_one",
        ],
    },
    Mutation {
        name: "row-lock-and-version",
        without: "both lines before a lost update",
        edits: &[ANY_VERSION, NO_ROW_LOCK],
        package: END_TO_END,
        tests: &["races::contracts::postgres::heavy_payments_never_exceed_their_contract"],
    },
    Mutation {
        name: "begin-immediate",
        without: "SQLite's lock from the beginning of a transaction",
        edits: &[Edit {
            file: "crates/persistence/src/store.rs",
            text: "SqliteTransactionMode::Immediate",
            instead: "SqliteTransactionMode::Deferred",
        }],
        package: END_TO_END,
        tests: &[
            "interleaved::sqlite::a_login_does_not_outlive_the_password",
            "interleaved::sqlite::nobody_logs_in_while_being_disabled",
        ],
    },
    Mutation {
        name: "contract-limit",
        without: "the rule that payments do not exceed their contract",
        edits: &[Edit {
            file: "crates/domain/src/contract/sums.rs",
            text: "if received.exceeds(self.details.amount)? {",
            instead: "if false {",
        }],
        package: "fairlead-domain",
        tests: &["payment::tests::by_contract_installments_take_the_money"],
    },
    Mutation {
        name: "contract-check",
        without: "the CHECK behind that rule",
        edits: &[Edit {
            file: "migrations/src/schema/04_money.sql",
            text: "    CHECK (received_minor <= amount_minor),\n",
            instead: "",
        }],
        package: END_TO_END,
        tests: &["constraints::*::what_the_rules_forbid_the_database_refuses"],
    },
    Mutation {
        name: "bank-reference",
        without: "the unique index of bank references",
        edits: &[Edit {
            file: "migrations/src/schema/04_money.sql",
            text: "CREATE UNIQUE INDEX payments_bank_reference",
            instead: "CREATE INDEX payments_bank_reference",
        }],
        package: END_TO_END,
        tests: &["races::contracts::*::heavy_a_bank_reference_counts_once"],
    },
    Mutation {
        name: "pending-approval",
        without: "the unique index of requests that wait",
        edits: &[Edit {
            file: "migrations/src/schema/05_approvals.sql",
            text: "CREATE UNIQUE INDEX approvals_pending",
            instead: "CREATE INDEX approvals_pending",
        }],
        package: END_TO_END,
        tests: &["constraints::*::what_the_rules_forbid_the_database_refuses"],
    },
    Mutation {
        name: "one-contract",
        without: "the unique index of an opportunity's contract",
        edits: &[Edit {
            file: "migrations/src/schema/04_money.sql",
            text: "CREATE UNIQUE INDEX contracts_opportunity_id",
            instead: "CREATE INDEX contracts_opportunity_id",
        }],
        package: END_TO_END,
        tests: &["constraints::*::what_the_rules_forbid_the_database_refuses"],
    },
    Mutation {
        name: "about-what-is-there",
        without: "the lock of an opportunity while an activity about it is logged",
        edits: &[Edit {
            file: "crates/application/src/activities.rs",
            text: "work.hold::<Opportunity>(which)",
            instead: "work.find::<Opportunity>(about.id)",
        }],
        package: END_TO_END,
        tests: &["interleaved::what_is_noted_waits_for_what_it_is_about"],
    },
    Mutation {
        name: "in-use",
        without: "that a draft with activities is not deleted",
        edits: &[Edit {
            file: "crates/domain/src/contract/mod.rs",
            text: "ties.dependents.check_none()",
            instead: "Ok(())",
        }],
        package: "fairlead-domain",
        tests: &[
            "contract::tests::what_waits_to_change_hands_or_has_activities_is_neither_deleted_nor_offered_for_it",
        ],
    },
    Mutation {
        name: "webhook-limit",
        without: "the lock under which webhooks are counted",
        edits: &[Edit {
            file: "crates/application/src/webhooks/mod.rs",
            text: "        work.lock_organisation().await?;\n",
            instead: "",
        }],
        package: END_TO_END,
        // On SQLite writers come one after the other.
        tests: &["races::organisation::postgres::heavy_there_are_no_more_webhooks_than_allowed"],
    },
    Mutation {
        name: "audit-head",
        without: "the lock of the audit trail's end, and what refuses two events of one number",
        edits: &[
            Edit {
                file: "crates/persistence/src/chain.rs",
                text: "FROM audit_head WHERE id = 1{lock}\"",
                instead: "FROM audit_head WHERE id = 1\"",
            },
            Edit {
                file: "migrations/src/schema/06_traces.sql",
                text: "CREATE UNIQUE INDEX audit_events_sequence",
                instead: "CREATE INDEX audit_events_sequence",
            },
            Edit {
                file: "migrations/src/schema/06_traces.sql",
                text: "    sequence BIGINT PRIMARY KEY,",
                instead: "    sequence BIGINT NOT NULL,",
            },
        ],
        package: END_TO_END,
        tests: &["faults::postgres::heavy_a_crash_loses_nothing"],
    },
    Mutation {
        name: "idempotency-key",
        without: "the key's claim in the transaction of the write: it is committed before",
        edits: &[Edit {
            file: "crates/persistence/src/work.rs",
            text: "                self.claimed = Some((user, key.to_owned()));",
            instead: "                self.transaction.execute_unprepared(\"COMMIT; BEGIN\").await?;
                self.claimed = Some((user, key.to_owned()));",
        }],
        package: END_TO_END,
        tests: &["security::rights::*::an_answer_kept_under_a_key_takes_the_permission_still"],
    },
    Mutation {
        name: "idempotency-answer",
        without: "the key's answer in the transaction of the write: it is written a moment later",
        edits: &[Edit {
            file: "crates/persistence/src/work.rs",
            text: "            let text = \"UPDATE idempotency_keys SET answer",
            instead: "            let entries = std::mem::take(&mut self.entries);
            chain::append(&self, &self.author, entries, self.lock()).await?;
            self.transaction.execute_unprepared(\"COMMIT; BEGIN\").await?;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let text = \"UPDATE idempotency_keys SET answer",
        }],
        package: END_TO_END,
        tests: &["faults::*::heavy_a_crash_loses_nothing"],
    },
    Mutation {
        name: "epoch",
        without: "the question in the first statement whether rights have changed",
        edits: &[Edit {
            file: "crates/persistence/src/reader.rs",
            text: "} else if epoch == self.epoch {",
            instead: "} else if epoch == self.epoch || lives {",
        }],
        package: END_TO_END,
        tests: &["security::rights::*::a_demoted_user_is_demoted_at_once"],
    },
    Mutation {
        name: "session",
        without: "the question in the first statement whether the session has ended",
        edits: &[Edit {
            file: "crates/persistence/src/reader.rs",
            text: "if !lives {",
            instead: "if !lives && self.session.is_none() {",
        }],
        package: END_TO_END,
        tests: &["security::sessions::*::logging_out_ends_the_session"],
    },
    Mutation {
        name: "refresh-token",
        without: "that a refresh token stays used from its first use on",
        edits: &[Edit {
            file: "crates/persistence/src/access.rs",
            text: "WHERE hash = $1 AND used_at IS NULL",
            instead: "WHERE hash = $1",
        }],
        package: END_TO_END,
        tests: &[
            "security::sessions::*::a_stolen_refresh_token_ends_the_session",
            "security::sessions::*::a_used_token_renews_for_a_minute",
        ],
    },
    Mutation {
        name: "refresh-grace",
        without: "the end of the time in which a used refresh token gives another pair",
        edits: &[Edit {
            file: "crates/domain/src/session.rs",
            text: "!followed && now < at.plus(GRACE)",
            instead: "!followed && (now < at.plus(GRACE) || true)",
        }],
        package: END_TO_END,
        tests: &["security::sessions::*::a_used_token_renews_for_a_minute"],
    },
    Mutation {
        name: "refresh-followed",
        without: "that a refresh token gives nothing any more once a token that it gave was used",
        edits: &[Edit {
            file: "crates/domain/src/session.rs",
            text: "!followed && now < at.plus(GRACE)",
            instead: "now < at.plus(GRACE) || (followed && false)",
        }],
        package: END_TO_END,
        tests: &[
            "security::sessions::*::a_stolen_refresh_token_ends_the_session",
            "security::sessions::*::no_tab_comes_after_another_went_on",
        ],
    },
    Mutation {
        name: "session-lock",
        without: "the lock of the session while a refresh token is judged",
        edits: &[Edit {
            file: "crates/persistence/src/access.rs",
            text: "FROM sessions WHERE id = $1{}\", self.lock());",
            instead: "FROM sessions WHERE id = $1\");",
        }],
        package: END_TO_END,
        // On SQLite writers come one after the other.
        tests: &["interleaved::postgres::a_repeated_renewal_is_judged_by_what_came_before"],
    },
    Mutation {
        name: "own-request",
        without: "that nobody decides what they asked for",
        edits: &[Edit {
            file: "crates/domain/src/approval/course.rs",
            text: "if user == self.requester_id {",
            instead: "if false {",
        }],
        package: "fairlead-domain",
        tests: &["approval::tests::whoever_asks_may_take_it_back_but_not_decide"],
    },
    Mutation {
        name: "lost-item",
        without: "that a transfer is over when what it names leaves by other means",
        edits: &[Edit {
            file: "crates/domain/src/transfer.rs",
            text: "item.pending && !item.included",
            instead: "false && item.pending",
        }],
        package: END_TO_END,
        tests: &["lapsing::*::a_transfer_lapses_when_what_it_names_leaves"],
    },
    Mutation {
        name: "taken-up",
        without: "that a transfer is over when a lost opportunity is taken up by somebody else",
        edits: &[Edit {
            file: "crates/application/src/opportunities.rs",
            text: "if opportunity.owner_id != former {",
            instead: "if false && opportunity.owner_id != former {",
        }],
        package: END_TO_END,
        tests: &["lapsing::*::a_transfer_lapses_when_a_sale_is_taken_up_by_somebody_else"],
    },
    Mutation {
        name: "asked-once",
        without: "what masks a change of a customer for whoever only asked for it",
        edits: &[Edit {
            file: "crates/domain/src/customer_change.rs",
            text: "shows_contact_data(ctx, self.owner_id, Some(self.customer_id))",
            instead: "ctx.now == ctx.now",
        }],
        package: END_TO_END,
        tests: &["lapsing::*::contact_data_of_a_change_leaves_with_the_customer"],
    },
    Mutation {
        name: "decided-once",
        without: "what masks a change of a customer for whoever only decided it",
        edits: &[Edit {
            file: "crates/domain/src/approval/course.rs",
            text: "if !shown {",
            instead: "if false && !shown {",
        }],
        package: END_TO_END,
        tests: &["lapsing::*::contact_data_of_a_change_leaves_its_approval_as_well"],
    },
    Mutation {
        name: "own-payment",
        without: "that nobody confirms what they recorded",
        edits: &[Edit {
            file: "crates/domain/src/payment/mod.rs",
            text: "if self.created_by == ctx.actor.id {",
            instead: "if false {",
        }],
        package: "fairlead-domain",
        tests: &["payment::tests::whoever_recorded_or_owns_does_not_confirm"],
    },
    Mutation {
        name: "scope-of-lists",
        without: "the scope in the WHERE of lists and totals",
        edits: &[Edit {
            file: "crates/persistence/src/query/list.rs",
            text: "visible.rows.write(sql);",
            instead: "sql.push(\"TRUE\");",
        }],
        package: END_TO_END,
        tests: &["security::objects::*::nothing_of_others_shows_in_lists"],
    },
    Mutation {
        name: "masked-filters",
        without: "what keeps filters from telling contact data that is masked in the pool",
        edits: &[Edit {
            file: "crates/persistence/src/query/list.rs",
            text: "sql.push(\" AND owner_id IS NOT NULL\");",
            instead: "",
        }],
        package: END_TO_END,
        tests: &[
            "lists::*::contact_data_in_the_pool_stays_masked",
            "conditions::*::no_branch_tells_what_is_masked",
        ],
    },
    Mutation {
        name: "scope-of-reads",
        without: "the scope of single reads",
        edits: &[Edit {
            file: "crates/application/src/change.rs",
            text: "reader.tied::<T, U>(id).await? {\n        found.0.reveal(ctx)?;",
            instead: "reader.tied::<T, U>(id).await? {",
        }],
        package: END_TO_END,
        tests: &["security::objects::*::ids_of_others_lead_nowhere"],
    },
    Mutation {
        name: "scope-of-files",
        without: "the scope of the contract that a file belongs to",
        edits: &[Edit {
            file: "crates/application/src/attachments.rs",
            text: "        contract.reveal(ctx)?;\n        Ok(AttachmentView::of(",
            instead: "        Ok(AttachmentView::of(",
        }],
        package: END_TO_END,
        tests: &["attachments::*::whoever_sees_the_contract_sees_its_files"],
    },
    Mutation {
        name: "scope-of-search",
        without: "the scope of what search finds",
        edits: &[Edit {
            file: "crates/application/src/search.rs",
            text: "_ => visibility::own(ctx, kind.into())?,",
            instead: "_ => Predicate::True,",
        }],
        package: END_TO_END,
        tests: &["search::*::nobody_finds_what_they_do_not_see"],
    },
    Mutation {
        name: "scope-of-events",
        without: "the scope of what event streams tell",
        edits: &[Edit {
            file: "crates/persistence/src/sync.rs",
            text: "watched.is_seen(sql, &format!(\"{table}.id\"));",
            instead: "sql.push(\"TRUE\");",
        }],
        package: END_TO_END,
        tests: &["events::*::nobody_hears_of_what_they_do_not_see"],
    },
    Mutation {
        name: "scope-of-sync",
        without: "the scope of what a copy is told",
        edits: &[Edit {
            file: "crates/persistence/src/sync.rs",
            text: "watched.is_seen(sql, &format!(\"{}.id\", table.name));",
            instead: "sql.push(\"TRUE\");",
        }],
        package: END_TO_END,
        tests: &["sync::*::what_is_not_for_somebody_any_more_is_forgotten"],
    },
    Mutation {
        name: "subject-of-activities",
        without: "the readers of what an activity is about, for copies and events",
        edits: &[Edit {
            file: "crates/application/src/visibility.rs",
            text: "&[\"with_id\", \"about_id\"]",
            instead: "&[\"with_id\"]",
        }],
        package: END_TO_END,
        tests: &[
            "sync::*::activities_go_with_whose_they_are_and_what_they_are_about",
            "events::*::activities_are_told_to_whoever_sees_what_they_are_about",
        ],
    },
    Mutation {
        name: "cursor",
        without: "the proof that a cursor, or a point of sync, is ours",
        edits: &[Edit {
            file: "crates/persistence/src/query/cursor.rs",
            text: "(signed == tag(",
            instead: "(!signed.is_empty() || signed == tag(",
        }],
        package: END_TO_END,
        tests: &["input::protocol::*::cursors_belong_to_their_question", "sync::*::points_are_not_made_up"],
    },
];
