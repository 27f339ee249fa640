// Whoever wants credentials says what happens without them.
export default (operation) => {
  const wants = (operation.security ?? []).some((scheme) => Object.keys(scheme).length > 0);
  if (!wants || operation.responses?.["401"]?.content) return [];
  return [{ message: "takes a token and does not say that it refuses without one" }];
};
