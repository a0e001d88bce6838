#include "sessions.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "wire/wire.hpp"

namespace holdfast {

namespace {

using Clock = Sessions::Clock;

// When the session must have left; nothing: not before the stage ends.
std::optional<Clock::time_point> leave_by(const SessionState& session) {
    if (!session.notified_at || !session.leave_within) return std::nullopt;
    return *session.notified_at + *session.leave_within;
}

constexpr std::string_view overdue_mark = " (overdue)";

bool is_overdue(const SessionState& session, Clock::time_point now) {
    if (session.is_expired) return true;
    const auto end = leave_by(session);
    return end && *end <= now;
}

// Shortens the name, not the mark, to fit.
std::string shown_name(const SessionState& session, Clock::time_point now) {
    if (!is_overdue(session, now)) return session.name;
    return std::string(wire::cut(session.name, max_name_bytes - overdue_mark.size())).append(overdue_mark);
}

}  // namespace

void Sessions::add(SessionState& session) {
    session.is_expired = all_expired_;
    held_.push_back(&session);
    session.self = std::prev(held_.end());
}

void Sessions::remove(SessionState& session) { held_.erase(session.self); }

std::vector<std::stop_source> Sessions::mark_notified(Clock::time_point now) {
    std::vector<std::stop_source> stops;
    for (SessionState* session : held_) {
        if (session->notified_at) continue;
        session->notified_at = now;
        stops.push_back(session->stop);
    }
    return stops;
}

void Sessions::expire_all() {
    all_expired_ = true;
    for (SessionState* session : held_) session->is_expired = true;
}

bool Sessions::blocks_drain(Clock::time_point now) const {
    return std::ranges::any_of(held_, [now](const SessionState* session) { return !is_overdue(*session, now); });
}

std::optional<Clock::time_point> Sessions::next_overdue(Clock::time_point now) const {
    std::optional<Clock::time_point> next;
    for (const SessionState* session : held_) {
        const auto end = leave_by(*session);
        if (end && *end > now && (!next || *end < *next)) next = end;
    }
    return next;
}

void Sessions::describe(Clock::time_point now, std::vector<Waiting>& report) const {
    std::size_t left = max_waiting_of_a_kind;
    for (const SessionState* session : held_) {
        if (left-- == 0) return;
        report.push_back(
            {.kind = "session",
             .name = shown_name(*session, now),
             .age_usec = std::chrono::duration_cast<std::chrono::microseconds>(now - session->since).count()});
    }
}

}  // namespace holdfast
