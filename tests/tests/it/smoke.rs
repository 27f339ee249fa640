//! The server starts, lets in whom it knows, and stops when asked.

use serde_json::json;

use crate::support::{Company, Server};

on_both_databases! {
    it_starts_logs_in_and_stops;
    a_company_has_every_role;
}

async fn it_starts_logs_in_and_stops(mut server: Server) {
    let admin = server.admin().await;
    let me = admin.get("/me").await.expect(200);
    assert_eq!(me.body["roles"], json!(["admin"]));
    assert!(server.stop().await.success());
    server.verify().await;
}

async fn a_company_has_every_role(server: Server) {
    let company = Company::found(&server).await;
    for (role, person) in company.by_role() {
        let me = person.client.get("/me").await.expect(200);
        assert_eq!(me.body["roles"], json!([role]));
    }
}
