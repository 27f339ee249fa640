// What Swagger UI shows and how, and a bar to log in with: one click on a demo account, or e-mail and password.
(() => {
  const BASE = "/api/v1/auth";
  const SCHEME = "bearer";
  const REMEMBERED = "fairlead.account";
  // A token is renewed so many seconds before it ends, and where that fails, again after so many.
  const EARLY = 30;
  const AGAIN = 15;

  async function post(path, body) {
    const answer = await fetch(`${BASE}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const read = await answer.json();
    if (answer.ok) return read;
    throw Object.assign(new Error(read.detail || read.title || answer.statusText), { status: answer.status });
  }

  // The bar stands below the description, where whoever opens the page reads first.
  const accounts = (system) => {
    const { React } = system;
    const h = React.createElement;
    let renewal;
    // Of several accounts that were pressed, the last one is meant, whichever answer comes last.
    let pressed = 0;

    const authorized = () => system.authSelectors.authorized()?.getIn([SCHEME, "value"]);

    function authorize(token) {
      const schema = system.specSelectors.specJson().getIn(["components", "securitySchemes", SCHEME]);
      system.authActions.authorizeWithPersistOption({ [SCHEME]: { name: SCHEME, schema, value: token } });
    }

    // Keeps somebody logged in until another one logs in, or the token is taken away with "Authorize", "Logout".
    function keep(tokens, ended) {
      authorize(tokens.access_token);
      const isOver = () => authorized() !== tokens.access_token;
      const later = (seconds) => {
        clearTimeout(renewal);
        renewal = setTimeout(renew, Math.max(1, seconds) * 1000);
      };
      const renew = async () => {
        if (isOver()) return;
        try {
          const renewed = await post("/refresh", { refresh_token: tokens.refresh_token });
          if (!isOver()) keep(renewed, ended);
        } catch (error) {
          if (isOver()) return;
          // A server that is away or busy is asked again; one that says no has ended the session.
          if (error.status !== 401) return later(AGAIN);
          system.authActions.logoutWithPersistOption([SCHEME]);
          ended(error);
        }
      };
      later(tokens.expires_in - EARLY);
    }

    function Bar() {
      const [known, setKnown] = React.useState([]);
      const [who, setWho] = React.useState(null);
      const [trouble, setTrouble] = React.useState(null);
      const [holds, setHolds] = React.useState(false);

      const logIn = async (email, password) => {
        const mine = ++pressed;
        setTrouble(null);
        try {
          const tokens = await post("/login", { email, password });
          if (mine !== pressed) return;
          keep(tokens, (error) => {
            setWho(null);
            setTrouble(error.message);
          });
          setWho(email);
          localStorage.setItem(REMEMBERED, email);
        } catch (error) {
          if (mine === pressed) setTrouble(error.message);
        }
      };

      React.useEffect(() => {
        fetch("demo-accounts.json")
          .then((answer) => answer.json())
          .then((demo) => {
            setKnown(demo);
            const last = demo.find((one) => one.email === localStorage.getItem(REMEMBERED));
            if (last) logIn(last.email, last.password);
          });
        // Swagger UI takes tokens away, and brings them back after a reload, without a word to anybody.
        const look = () => setHolds(Boolean(authorized()));
        look();
        return system.getStore().subscribe(look);
      }, []);

      const submit = (event) => {
        event.preventDefault();
        const form = new FormData(event.target);
        logIn(form.get("email"), form.get("password"));
      };
      const button = (account) =>
        h("button", {
          key: account.email,
          type: "button",
          className: `btn demo-account${holds && account.email === who ? " execute" : ""}`,
          title: account.email,
          onClick: () => logIn(account.email, account.password),
        }, account.role.replaceAll("_", " "), h("small", { style: { display: "block", fontWeight: 400 } }, account.name));
      const field = (name, type, label) =>
        h("input", { name, type, placeholder: label, "aria-label": label, autoComplete: "off", required: true });
      const unknown = "There is a token, of before the page was loaded or put in by hand. It is not renewed: log in again.";
      const state = !holds ? "Nobody is logged in." : who ? `Logged in as ${who}` : unknown;
      const said = trouble ? `Not logged in: ${trouble} ${state}` : state;

      return h("section", { className: "wrapper block accounts", style: { marginBottom: "30px" } },
        h("h3", null, "Log in"),
        known.length > 0 && h("p", null, "This is a demo. Press an account to act as it; press another to change roles."),
        h("div", { style: { display: "flex", flexWrap: "wrap", gap: "8px" } }, known.map(button)),
        h("form", { onSubmit: submit, style: { display: "flex", flexWrap: "wrap", gap: "8px", marginTop: "12px" } },
          field("email", "email", "E-mail"),
          field("password", "password", "Password"),
          h("button", { type: "submit", className: "btn" }, "Log in")),
        h("p", { className: "account-state", role: "status" }, said));
    }

    return {
      wrapComponents: {
        InfoContainer: (Original) => (props) => h("div", null, h(Original, props), h(Bar)),
      },
    };
  };

  // Swagger UI resolves references by reading the whole document anew for each operation that is opened: seconds, for a
  // document of this size. It is given what the operation refers to, and nothing else.
  const resolving = () => ({
    afterLoad() {
      const whole = this.fn.resolveSubtree;
      const resolveSubtree = (document, path, options) => whole(reachable(document, path), path, options);
      Object.assign(this.fn, { resolveSubtree });
    },
  });

  // The document with no paths, webhooks and components but what stands at a path and what that refers to.
  function reachable(document, path) {
    const { paths, webhooks, components, ...kept } = document;
    kept.components = { securitySchemes: components.securitySchemes };
    const take = (from, to, keys) => {
      const [key, ...rest] = keys;
      if (from?.[key] === undefined || (rest.length === 0 && to[key] !== undefined)) return;
      if (rest.length > 0) return take(from[key], (to[key] ??= {}), rest);
      to[key] = from[key];
      follow(from[key]);
    };
    const follow = (value) => {
      if (value === null || typeof value !== "object") return;
      if (typeof value.$ref === "string" && value.$ref.startsWith("#/")) {
        take(document, kept, value.$ref.slice(2).split("/"));
      }
      Object.values(value).forEach(follow);
    };
    take(document, kept, path.slice(0, path[0] === "components" ? 3 : 2));
    return kept;
  }

  window.onload = () => {
    window.ui = SwaggerUIBundle({
      url: "/openapi.json",
      dom_id: "#swagger-ui",
      presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
      plugins: [SwaggerUIBundle.plugins.DownloadUrl, accounts, resolving],
      layout: "StandaloneLayout",
      deepLinking: true,
      docExpansion: "none",
      displayRequestDuration: true,
      filter: true,
      persistAuthorization: true,
      requestSnippetsEnabled: true,
      tryItOutEnabled: true,
      defaultModelsExpandDepth: 0,
    });
  };
})();
