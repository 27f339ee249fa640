// From a lead to the last payment, with a client whose types are generated from Fairlead's OpenAPI document: a wrong
// path, member or value does not compile.
//
//   npm ci && npm run generate && npm run build && npm start -- http://127.0.0.1:8080

import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./fairlead.js";

type Schemas = components["schemas"];
type Api = ReturnType<typeof createClient<paths>>;

const server = process.argv[2] ?? "http://127.0.0.1:8080";
const domain = "demo.fairlead.example";
const cny = (amount: string): Schemas["Money"] => ({ amount, currency: "CNY" });

/** A refusal is a problem with a stable `code` (RFC 9457). */
class Refused extends Error {
  constructor(readonly problem: Schemas["Problem"]) {
    super(`${problem.code}: ${problem.detail}`);
  }
}

/** The answer, or the refusal as an error. */
async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (error !== undefined) throw new Refused(error as Schemas["Problem"]);
  if (data === undefined) throw new Error(`${response.status} without content`);
  return data;
}

/** A client that acts as one of the demo's accounts. */
async function login(account: string): Promise<Api> {
  const api = createClient<paths>({ baseUrl: server });
  const body = { email: `${account}@${domain}`, password: "demo-password" };
  const { access_token } = await ask(api.POST("/api/v1/auth/login", { body }));
  const bearer: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${access_token}`);
      return request;
    },
  };
  api.use(bearer);
  return api;
}

const of = (id: string) => ({ params: { path: { id } } });

async function main(): Promise<void> {
  const [rep, manager, finance] = await Promise.all([login("rep.east"), login("manager.east"), login("finance")]);

  // A lead, talked to, qualified and converted in one step.
  const body = { name: "Zhang San", company: "Typed Machinery", source: "website" } as const;
  const lead = await ask(rep.POST("/api/v1/leads", { body }));
  const about = { kind: "lead", id: lead.id } as const;
  await ask(rep.POST("/api/v1/activities", { body: { about, kind: "call", subject: "Wants an offer" } }));
  await ask(rep.POST("/api/v1/leads/{id}/qualify", of(lead.id)));
  const opportunity = { name: "Packing line", amount: cny("120000.00") };
  const converted = await ask(rep.POST("/api/v1/leads/{id}/convert", { ...of(lead.id), body: { opportunity } }));

  // The signing stage makes the contract's draft.
  const pipelines = await ask(rep.GET("/api/v1/pipelines"));
  const signing = pipelines.data[0]?.stages.find((stage) => stage.starts_contract)?.id;
  const sale = converted.converted_opportunity_id;
  if (!signing || !sale) throw new Error("no sale to sign");
  const signed = await ask(rep.POST("/api/v1/opportunities/{id}/advance", { ...of(sale), body: { stage_id: signing } }));
  const contract = signed.contract_id;
  if (!contract) throw new Error("the signing stage makes a contract");

  // Half at once, half in a month; by the contract, not by invoices. The version is the one that was read.
  const read = await rep.GET("/api/v1/contracts/{id}", of(contract));
  const tag = read.response.headers.get("ETag") ?? "*";
  const scheme = { collection_scheme: "by_contract" } as const;
  const changed = { params: { path: { id: contract }, header: { "If-Match": tag } }, body: scheme };
  await ask(rep.PATCH("/api/v1/contracts/{id}", changed));
  const half = (after_days: number) => ({ share: "0.5", after_days });
  const plan = { starts_on: "2031-01-31", shares: [half(0), half(30)] };
  await ask(rep.POST("/api/v1/contracts/{id}/plan", { ...of(contract), body: plan }));

  // Nobody decides what they asked for; two others do.
  await ask(rep.POST("/api/v1/contracts/{id}/submit", of(contract)));
  const waiting = { params: { query: { subject_id: [contract], status: ["pending"] as "pending"[] } } };
  const approval = (await ask(rep.GET("/api/v1/approvals", waiting))).data[0]?.id;
  if (!approval) throw new Error("nothing waits for approval");
  const approve = (by: Api) => ask(by.POST("/api/v1/approvals/{id}/approve", { ...of(approval), body: {} }));
  const own = await approve(rep).catch((refused: unknown) => refused);
  if (!(own instanceof Refused) || own.problem.code !== "forbidden") throw new Error("the seller decided");
  await approve(manager);
  await approve(finance);

  // Two payments, each confirmed by somebody else; with the last one the contract is completed.
  for (const part of ["60000.00", "60000.00"]) {
    const payment = await ask(
      rep.POST("/api/v1/payments", {
        params: { header: { "Idempotency-Key": crypto.randomUUID() } },
        body: { contract_id: contract, amount: cny(part), received_on: "2026-11-20", method: "bank_transfer" },
      }),
    );
    await ask(finance.POST("/api/v1/payments/{id}/confirm", of(payment.id)));
  }
  const done = await ask(rep.GET("/api/v1/contracts/{id}", of(contract)));
  if (done.status !== "completed" || done.paid.amount !== "120000.00") throw new Error(`it is ${done.status}`);
  console.log(`${done.number} is ${done.status}: ${done.paid.amount} ${done.paid.currency} paid`);
}

await main();
