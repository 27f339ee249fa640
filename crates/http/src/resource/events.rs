//! Events as they happen.

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Events", "What happens, as it happens.").events(
        "/events",
        "follow_events",
        "Follow what happens to records",
        "Server-sent events: each tells what happened to which lead, customer, contact, activity, opportunity, \
         contract, invoice, payment, approval or transfer that you see, or saw until this very event; of a contact or \
         an activity, whose it is and what it is about decide. What happens to anything else, such as amendments and \
         refunds, is not told. Ask for the record itself to know more. `event` and `type` are names such as \
         `contract.submitted`, and there may be new ones. A broken stream goes on behind `Last-Event-ID`, on any \
         server, and misses nothing; an event may come twice. The first event without it is `ready`: its \
         `last_event_id` says behind which event the stream goes on. \
         While nothing happens, comments with an `id` keep it alive, and say where to go on as well; so does one at \
         the end, where it is needed. A stream ends after `wait` seconds, when you log out, and when the server \
         stops: begin it again. Of one user ten go on at the same time: when there are more, the oldest ends, and \
         says to come back in half a minute (`retry`). Send the token in the `Authorization` header, as everywhere.",
    );
}
