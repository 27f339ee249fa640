//! Notifications (通知).

use fairlead_application::notifications;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Notifications", "What the caller is told of: leads, customers, transfers, approvals (通知).")
        .list(
            "/notifications",
            "list_notifications",
            "List my notifications",
            "The caller's own, the newest first; `read_at_is_null=true` chooses the new ones.",
            &notifications::LISTING,
            notifications::list,
        )
        .read(
            "/notifications/unread-count",
            "count_unread_notifications",
            "Count my new notifications",
            "How many of the caller's own are new: the number on a badge.",
            notifications::unread,
        )
        .act(
            "/notifications/{id}/read",
            "read_notification",
            "Mark a notification as read",
            "One of the caller's own.",
            notifications::read,
        )
        .command(
            "/notifications/read-all",
            "read_all_notifications",
            "Mark all my notifications as read",
            "All of the caller's own that are there at this moment.",
            notifications::read_all,
        );
}
