//! Money and the limits of a contract.

use serde_json::json;

use super::{act, at_once, count, expect_tally, money, one_winner, post, sum, with_status};
use crate::support::{Answer, Company, Server, report, rounds};

on_both_databases! {
    heavy_invoices_never_exceed_their_contract;
    heavy_payments_never_exceed_their_contract;
    heavy_payments_never_exceed_their_invoices;
    heavy_a_payment_is_confirmed_or_rejected;
    heavy_a_bank_reference_counts_once;
    heavy_numbers_have_neither_gaps_nor_twins;
}

async fn heavy_invoices_never_exceed_their_contract(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "800.00", "by_contract").await;
    let mut drafts = Vec::new();
    for _ in 0..32 {
        drafts.push(company.invoice_draft(&company.rep, &contract, "100.00").await);
    }
    let times = rounds(50, 200);
    for _ in 0..times {
        let submit = |draft: &String| act(&company.rep.client, format!("/invoices/{draft}/submit"));
        let answers = at_once(drafts.iter().map(submit)).await;
        expect_tally(&answers, &[("200", 8), ("409 invoice_exceeds_contract", 24)]);
        assert_eq!(sum(&company.rep.client, &contract, "invoice_committed").await, "800.00");
        // Those that came through are drafts again for the next round.
        let withdraw =
            |invoice: &Answer| act(&company.rep.client, format!("/invoices/{}/withdraw", invoice.id()));
        expect_tally(&at_once(with_status(&answers, 200).map(withdraw)).await, &[("200", 8)]);
        assert_eq!(sum(&company.rep.client, &contract, "invoice_committed").await, "0.00");
    }
    let told = format!("{times} rounds of 32 invoices at once on a contract that takes 8: 8 each");
    report("T4", server.database.kind, &told);
}

/// Rounds of 32 payments of 100.00 at once, of which eight fit. Finance rejects those, and the next round begins.
async fn eight_payments_fit(company: &Company, contract: &str, times: usize, refusal: &str) {
    for _ in 0..times {
        let record = |_| post(&company.rep.client, "/payments", Company::payment(contract, "100.00"));
        let answers = at_once((0..32).map(record)).await;
        expect_tally(&answers, &[("201", 8), (refusal, 24)]);
        assert_eq!(sum(&company.rep.client, contract, "received").await, "800.00");
        let reject = |payment: &Answer| {
            let (path, form) = (format!("/payments/{}/reject", payment.id()), json!({"reason": "not found"}));
            post(&company.finance.client, path, form)
        };
        expect_tally(&at_once(with_status(&answers, 201).map(reject)).await, &[("200", 8)]);
        assert_eq!(sum(&company.rep.client, contract, "received").await, "0.00");
    }
}

async fn heavy_payments_never_exceed_their_contract(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "800.00", "by_contract").await;
    let times = rounds(25, 200);
    eight_payments_fit(&company, &contract, times, "409 payment_exceeds_contract").await;
    let told = format!("{times} rounds of 32 payments at once on a contract that takes 8: 8 each");
    report("T4", server.database.kind, &told);
}

async fn heavy_payments_never_exceed_their_invoices(server: Server) {
    let company = Company::found(&server).await;
    // The contract would take twice as much: it is the invoices that are full.
    let contract = company.active(&company.rep, "1600.00", "by_invoice").await;
    let invoices = [
        company.issued(&company.rep, &contract, "550.00").await,
        company.issued(&company.rep, &contract, "250.00").await,
    ];
    let times = rounds(25, 200);
    eight_payments_fit(&company, &contract, times, "409 nothing_to_allocate").await;
    for invoice in invoices {
        let invoice = company.rep.client.get(&format!("/invoices/{invoice}")).await.expect(200);
        assert_eq!(invoice.body["allocated"], money("0.00"));
    }
    let told = format!("{times} rounds of 32 payments at once on invoices that take 8: 8 each");
    report("T4", server.database.kind, &told);
}

async fn heavy_a_payment_is_confirmed_or_rejected(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "10000.00", "by_contract").await;
    let mut confirmed = 0;
    for _ in 0..20 {
        let form = Company::payment(&contract, "100.00");
        let payment = company.rep.client.post("/payments", form).await.expect(201).id();
        let calls = [&company.finance, &company.finance_two].into_iter().flat_map(|person| {
            let reject = json!({"reason": "not found"});
            [
                act(&person.client, format!("/payments/{payment}/confirm")),
                post(&person.client, format!("/payments/{payment}/reject"), reject),
            ]
        });
        let answers = at_once(calls).await;
        let won = one_winner(&answers, 200, &["409 invalid_transition"]);
        confirmed += i32::from(won.body["status"] == "confirmed");
    }
    let paid = format!("{}.00", confirmed * 100);
    assert_eq!(sum(&company.rep.client, &contract, "paid").await, paid);
    assert_eq!(sum(&company.rep.client, &contract, "received").await, paid);
}

async fn heavy_a_bank_reference_counts_once(server: Server) {
    let company = Company::found(&server).await;
    let first = company.active(&company.rep, "10000.00", "by_contract").await;
    let second = company.active(&company.colleague, "10000.00", "by_contract").await;
    for _ in 0..20 {
        let form = Company::payment(&first, "10.00");
        let mut other = form.clone();
        other["contract_id"] = json!(second);
        // On one contract its lock would do; on two only the unique index does.
        let calls = [
            post(&company.rep.client, "/payments", form.clone()),
            post(&company.rep.client, "/payments", form),
            post(&company.colleague.client, "/payments", other.clone()),
            post(&company.colleague.client, "/payments", other),
        ];
        let answers = at_once(calls).await;
        expect_tally(&answers, &[("201", 1), ("409 duplicate", 3)]);
    }
    for contract in [&first, &second] {
        let payments = count(&company.finance.client, &format!("/payments?contract_id={contract}")).await;
        let received = sum(&company.finance.client, contract, "received").await;
        assert_eq!(received, format!("{:.2}", 10.0 * f64::from(u32::try_from(payments).unwrap())));
    }
}

async fn heavy_numbers_have_neither_gaps_nor_twins(server: Server) {
    let company = Company::found(&server).await;
    let first = company.active(&company.rep, "1000.00", "by_contract").await;
    let second = company.active(&company.colleague, "1000.00", "by_contract").await;
    let record = |at: usize| {
        let (person, contract) =
            if at.is_multiple_of(2) { (&company.rep, &first) } else { (&company.colleague, &second) };
        // Every fourth is refused, and its number with it: it is the next one's.
        let amount = if at % 4 == 3 { "1000.01" } else { "1.00" };
        post(&person.client, "/payments", Company::payment(contract, amount))
    };
    let answers = at_once((0..64).map(record)).await;
    expect_tally(&answers, &[("201", 48), ("409 payment_exceeds_contract", 16)]);
    let mut numbers: Vec<u32> = with_status(&answers, 201)
        .map(|answer| answer.text_of("number").rsplit('-').next().unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=48).collect::<Vec<u32>>());
}
