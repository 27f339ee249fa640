// Whoever pages takes `cursor` and `limit`, and answers `data` and `page`; whoever answers them, takes those.
export default (operation) => {
  const parameters = (operation.parameters ?? []).map((parameter) => parameter.name);
  const schema = operation.responses?.["200"]?.content?.["application/json"]?.schema;
  const members = Object.keys(schema?.properties ?? {});
  const has = (names, wanted) => wanted.every((name) => names.includes(name));
  const takes = has(parameters, ["cursor", "limit"]);
  const answers = has(members, ["data", "page"]);
  if (takes === answers) return [];
  return [{ message: takes ? "takes a cursor and answers no page" : "answers a page and takes no cursor" }];
};
