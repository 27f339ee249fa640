//! Operations that go on telling: server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use fairlead_application::Call;
use fairlead_application::events::{self, EventsForm, Follower, StreamEvent, StreamReady};
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::valid::Valid;
use futures_util::stream;
use tokio::time::Instant;

use super::ask::Ask;
use super::{About, Api, api};
use crate::middleware::AS_IT_IS;
use crate::problem::Outcome;
use crate::state::State;

/// The media type of streams of events.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";
/// The header by which a client says where it was.
pub(crate) const LAST_EVENT_ID: &str = "Last-Event-ID";

/// How often a quiet stream says that it is alive, which also shows when its reader is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often it looks whether the server is about to stop.
const TICK: Duration = Duration::from_millis(500);
/// After how many milliseconds a client should come back.
const RETRY: u32 = 2000;
/// After how many where newer streams of its user have taken its place: otherwise they would go on ending one another.
const RETRY_REPLACED: u32 = 30_000;

impl Api {
    /// `GET` of events as they happen.
    pub(crate) fn events(
        &mut self,
        path: &str,
        id: &'static str,
        summary: &'static str,
        rules: &'static str,
    ) -> &mut Self {
        let event = self.schemas.of::<StreamEvent>();
        let shape = api(Method::GET, path).asked(self.schemas.question_of::<EventsForm>()).streams(event);
        self.signed(About { id, summary, rules }, shape, async move |ask: &Ask, call: &Call| {
            begin(ask, call).await
        })
    }
}

async fn begin(ask: &Ask, call: &Call) -> Outcome {
    let form: Valid<EventsForm> = ask.question()?;
    let place = last_event_id(ask)?;
    let until = Instant::now() + Duration::from_secs(form.wait);
    // What is wrong is told before the stream begins, and before it takes anybody's place.
    let first = events::after(ask.app(), call, &form, place).await?;
    let waits = form.wait > 0;
    // What ends at once, or has a head only, takes nobody's place.
    let stays = (waits || first.more) && ask.request.method() != Method::HEAD;
    let follower = stays.then(|| events::follow(ask.app(), call));
    let mut opening = format!("retry: {RETRY}\n");
    if place.is_none() {
        // So that a client that hears nothing for a while knows where to go on.
        let ready = StreamReady::behind(first.place);
        let data = serde_json::to_string(&ready).unwrap_or_default();
        let _ = write!(opening, "id: {}\nevent: {}\ndata: {data}\n", first.place, ready.kind);
    }
    opening.push('\n');
    opening.push_str(&text(&first));
    let follows = Follows {
        state: Arc::clone(&ask.state),
        call: call.clone(),
        form,
        follower,
        place: first.place,
        told: first.events.last().map(|(place, _)| *place).or(place).unwrap_or(first.place),
        more: first.more,
        until: waits.then_some(until),
        alive: Instant::now() + HEARTBEAT,
        ends: !waits && !first.more,
        opening: Some(opening),
    };
    let mut response = HttpResponse::build(StatusCode::OK);
    response
        .insert_header((CONTENT_TYPE, EVENT_STREAM))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compressed, events would wait for one another; and no proxy is to gather them.
        .insert_header((CONTENT_ENCODING, AS_IT_IS))
        .insert_header(("X-Accel-Buffering", "no"));
    // The server would read the body of an answer to HEAD to its end, only to leave it out.
    if ask.request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    Ok(response.streaming(stream::try_unfold(follows, next)))
}

/// Where the client was.
fn last_event_id(ask: &Ask) -> Result<Option<i64>, Refusal> {
    let invalid = || Refusal {
        code: Code::InvalidCursor,
        ..Refusal::malformed(LAST_EVENT_ID, "expected the id of an event")
    };
    let Some(value) = ask.request.headers().get(LAST_EVENT_ID) else { return Ok(None) };
    let text = value.to_str().map_err(|_| invalid())?;
    let is_number = !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().map(Some).map_err(|_| invalid()) } else { Err(invalid()) }
}

/// A stream on its way.
struct Follows {
    state: Arc<State>,
    call: Call,
    form: Valid<EventsForm>,
    /// None where it ends at once.
    follower: Option<Follower>,
    place: i64,
    /// Where the client knows to go on.
    told: i64,
    more: bool,
    /// When it ends; none where it does as soon as all is told.
    until: Option<Instant>,
    /// When it is to say that it is alive.
    alive: Instant,
    ends: bool,
    opening: Option<String>,
}

async fn next(mut follows: Follows) -> Result<Option<(Bytes, Follows)>, std::io::Error> {
    if let Some(opening) = follows.opening.take() {
        return Ok(Some((opening.into(), follows)));
    }
    while !follows.ends {
        match follows.turn().await {
            Turn::Look => {}
            Turn::End => {
                follows.ends = true;
                break;
            }
            Turn::Replaced => {
                follows.ends = true;
                let last = format!("{}retry: {RETRY_REPLACED}\n\n", follows.farewell());
                return Ok(Some((last.into(), follows)));
            }
        }
        // Whoever may not listen any more hears the end of the stream, and why when they come back.
        let heard =
            events::after(&follows.state.app, &follows.call, &follows.form, Some(follows.place)).await;
        let Ok(heard) = heard else { return Ok(None) };
        (follows.place, follows.more) = (heard.place, heard.more);
        follows.told = heard.events.last().map_or(follows.told, |(place, _)| *place);
        follows.ends = follows.until.is_none() && !heard.more;
        let mut told = text(&heard);
        if told.is_empty() && Instant::now() >= follows.alive {
            told = follows.whereabouts("nothing new");
        }
        if !told.is_empty() {
            follows.alive = Instant::now() + HEARTBEAT;
            return Ok(Some((told.into(), follows)));
        }
    }
    let farewell = follows.farewell();
    Ok((!farewell.is_empty()).then(|| (farewell.into(), follows)))
}

/// How a stream goes on.
enum Turn {
    /// There may be something to tell, or a sign of life is due.
    Look,
    /// It is over.
    End,
    /// Newer streams of the same user have taken its place.
    Replaced,
}

impl Follows {
    /// Without data it is no event, but the client knows where to go on.
    fn whereabouts(&mut self, comment: &str) -> String {
        self.told = self.place;
        format!(": {comment}\nid: {}\n\n", self.place)
    }

    /// Says once where to go on. Whoever was told nothing of all that was looked at would begin there again, and for ever
    /// if it is more than is looked at while one stream lasts.
    fn farewell(&mut self) -> String {
        if self.told < self.place { self.whereabouts("the end") } else { String::new() }
    }

    /// Waits until something is to be done, which is at once while there is more to tell.
    async fn turn(&mut self) -> Turn {
        let Some(follower) = &mut self.follower else { return Turn::End };
        loop {
            let now = Instant::now();
            if self.state.health.is_draining() || self.until.is_some_and(|until| now >= until) {
                return Turn::End;
            }
            if follower.is_replaced() {
                return Turn::Replaced;
            }
            if self.more || now >= self.alive {
                return Turn::Look;
            }
            let tick = (now + TICK).min(self.alive);
            let tick = self.until.map_or(tick, |until| tick.min(until));
            tokio::select! {
                () = follower.news() => self.more = true,
                () = tokio::time::sleep_until(tick) => {}
            }
        }
    }
}

/// Events as they go over the wire. JSON has no line ends in it.
fn text(heard: &events::Heard) -> String {
    heard.events.iter().fold(String::new(), |mut text, (place, event)| {
        let data = serde_json::to_string(event).unwrap_or_default();
        let _ = write!(text, "id: {place}\nevent: {}\ndata: {data}\n\n", event.kind);
        text
    })
}
