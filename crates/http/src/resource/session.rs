//! Logging in, and what a login sees of itself.

use fairlead_application::App;
use fairlead_application::session::{self, LoginForm, RefreshForm};
use fairlead_domain::error::Code;
use fairlead_domain::valid::Valid;

use crate::api::Api;
use crate::request::origin::Origin;
use crate::state::State;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Authentication", "Logging in and out, tokens, and the sessions behind them.")
        .open_form(
            "/auth/login",
            "log_in",
            "Log in",
            "Gives an access token for minutes and a refresh token for days. The answer to a wrong password \
             and to an unknown address is the same. Attempts are throttled per account and address. A few passwords are \
             looked at at a time: whoever gets no turn within seconds is told to come back (`503 unavailable`).",
            async |app: &App, origin: &Origin, form: Valid<LoginForm>| {
                session::login(app, &origin.request_id, &origin.client, form).await
            },
        )
        .refuses(&[Code::InvalidCredentials])
        .open_form(
            "/auth/refresh",
            "refresh_tokens",
            "Get new tokens",
            "Exchanges a refresh token for a new pair. Whoever got no answer sends the same token again, and two tabs \
             may send it in the same moment: within 60 seconds of its first use, and as long as none of the \
             refresh tokens that it gave was used, it gives another pair. Each of these pairs goes on by itself. Using an old token \
             after that ends the whole session, for somebody else may have it.",
            async |app: &App, origin: &Origin, form: Valid<RefreshForm>| {
                session::refresh(app, &origin.request_id, form).await
            },
        )
        .refuses(&[Code::InvalidRefreshToken])
        .command(
            "/auth/logout",
            "log_out",
            "Log out",
            "Ends the caller's session, whose token is sent; its tokens are refused from now on.",
            session::logout,
        )
        .read(
            "/auth/sessions",
            "list_sessions",
            "List my sessions",
            "The caller's own sessions that still live.",
            session::list,
        )
        .end(
            "/auth/sessions/{id}",
            "end_session",
            "End one of my sessions",
            "Its tokens are refused from now on. Sessions of others do not exist for the caller.",
            session::end,
        )
        .open_read(
            "/.well-known/jwks.json",
            "get_signing_keys",
            "Get the keys that sign access tokens",
            "A JSON Web Key Set (RFC 7517), for services that check tokens themselves.",
            async |state: &State| session::jwks(&state.app).await,
        );
    api.tag("Me", "The caller.")
        .read(
            "/me",
            "get_me",
            "Who am I, and what may I do?",
            "The caller with their roles, permissions and scopes.",
            session::me,
        )
        .command_with(
            "/me/change-password",
            "change_my_password",
            "Change my password",
            "Takes the present password, and ends all other sessions of the caller.",
            session::change_password,
        )
        .refuses(&[Code::InvalidCredentials]);
}
