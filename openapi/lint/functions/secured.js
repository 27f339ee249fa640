// What anybody may call. Every other operation takes a token, and says that it refuses without one.
const OPEN = [
  "log_in",
  "refresh_tokens",
  "get_signing_keys",
  "submit_lead_form",
  "get_health",
  "get_readiness",
  "list_problems",
  "get_problem",
];

export default (operation) => {
  const wants = (operation.security ?? []).some((scheme) => Object.keys(scheme).length > 0);
  if (OPEN.includes(operation.operationId)) {
    return wants ? [{ message: "is for everybody and takes a token" }] : [];
  }
  if (!wants) return [{ message: "takes no token and is not among those that anybody may call" }];
  return operation.responses?.["401"] ? [] : [{ message: "does not say that it refuses without a token" }];
};
