#include "api/desk.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "api/encode.hpp"
#include "core/describe/why.hpp"

namespace holdfast::api {
namespace {

HttpReply json_reply(int http_status, std::string json, std::string allow = {}) {
    return {http_status, std::move(json) + "\n", "application/json", std::move(allow)};
}

HttpReply error_reply(int http_status, std::string_view text) { return json_reply(http_status, error_to_json(text)); }

std::string name_of(const core::WorkerStatus& worker) {
    return std::to_string(worker.generation.value) + "." + std::to_string(worker.slot.value);
}

bool is_way_out(const core::Request& request) {
    return std::holds_alternative<core::Stop>(request.what) || std::holds_alternative<core::Undo>(request.what);
}

HttpReply outcome_reply(const core::Outcome& outcome) {
    return json_reply(http_status_of(outcome.result), to_json(outcome));
}

}  // namespace

Server::Desk::Desk(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Supervised supervised,
                   Limits limits)
    : our_uid_(our_uid), supervised_(std::move(supervised)), limits_(limits) {
    Host host;
    host.bytes = limits.bytes;
    host.serve = [this](Connection& client, const HttpQuery& query) { serve(client, query); };
    host.complain = [](int http_status, const std::string& text) { return error_reply(http_status, text); };
    reception_ = std::make_shared<Reception>(
        executor, std::vector{listening_fd}, std::move(host),
        Reception::Limits{limits.connections, limits.unread_bytes, limits.patience, limits.pause, limits.closing});
}

void Server::Desk::serve(Connection& client, const HttpQuery& query) {
    const Peer peer = client.peer();
    if (!may_ask(peer.uid, our_uid_)) {
        return client.respond(error_reply(403, "uid " + std::to_string(peer.uid) + " may not ask: only uid " +
                                                   std::to_string(our_uid_) + " and root may"));
    }
    Route route = find_route(query.method, query.target, query.body);
    std::visit([&](auto wanted) { serve(client, std::move(wanted)); }, std::move(route));
}

void Server::Desk::serve(Connection& client, StatusWanted) {
    client.respond(json_reply(200, to_json(supervised_.snapshot())));
}

void Server::Desk::serve(Connection& client, ReloadPreviewWanted) {
    client.respond(outcome_reply(supervised_.what_reload_would_do()));
}

void Server::Desk::serve(Connection& client, HistoryWanted wanted) {
    const std::vector<std::string> lines = supervised_.history();
    const std::size_t count = std::min(lines.size(), wanted.limit.value_or(lines.size()));
    client.respond(json_reply(200, objects_to_json(std::span(lines).last(count))));
}

void Server::Desk::serve(Connection& client, const LogsWanted& wanted) {
    auto outputs = supervised_.last_output();
    if (!wanted.worker.empty()) std::erase_if(outputs, [&](const auto& each) { return each.worker != wanted.worker; });
    if (outputs.empty() && !wanted.worker.empty()) {
        return client.respond(error_reply(404, "nothing is kept of a worker " + wanted.worker));
    }
    client.respond(json_reply(200, to_json(outputs)));
}

void Server::Desk::serve(Connection& client, const WhyWanted& wanted) {
    const core::Status status = supervised_.snapshot();
    const std::string text = core::explain(status, wanted.worker);
    const bool is_here = std::ranges::any_of(
        status.workers, [&](const core::WorkerStatus& worker) { return name_of(worker) == wanted.worker; });
    client.respond(is_here ? json_reply(200, text_to_json(text)) : error_reply(404, text));
}

void Server::Desk::serve(Connection& client, const Rejection& rejection) {
    client.respond(json_reply(rejection.http_status, error_to_json(rejection.text), rejection.allow));
}

void Server::Desk::serve(Connection& client, ChangeWanted change) {
    change.request.asked_by = describe(client.peer());
    const Urgency urgency = is_way_out(change.request) ? Urgency::way_out : Urgency::ordinary;
    ask(client, change.wait, urgency,
        [&](auto answer) { supervised_.ask(std::move(change.request), std::move(answer)); });
}

void Server::Desk::serve(Connection& client, ReloadWanted reload) {
    const std::string asked_by = describe(client.peer());
    ask(client, reload.wait, Urgency::ordinary, [&](auto answer) { supervised_.reload(asked_by, std::move(answer)); });
}

std::string Server::Desk::describe_crowd(ChangeWanted::Wait wait, Urgency urgency) const {
    const std::size_t share = urgency == Urgency::way_out ? 2 : 1;
    if (wait == ChangeWanted::Wait::for_outcome && reception_->waiting() >= share * limits_.waiting) {
        return "cannot ask for it: " + std::to_string(reception_->waiting()) +
               " clients wait for an outcome already, and nothing was changed; ask later, or without waiting "
               "(--no-wait, ?wait=no)";
    }
    if (open_questions_.count() >= share * limits_.open_questions) {
        return "cannot ask for it: " + std::to_string(open_questions_.count()) +
               " requests have no outcome yet, and nothing was changed; ask later";
    }
    return {};
}

template <class Ask>
void Server::Desk::ask(Connection& client, ChangeWanted::Wait wait, Urgency urgency, Ask ask) {
    if (const std::string crowd = describe_crowd(wait, urgency); !crowd.empty()) {
        return client.respond(error_reply(503, crowd));
    }
    const auto question = open_questions_.ask();
    if (wait == ChangeWanted::Wait::no) {
        ask([question](const core::Outcome&) { question->close(); });
        return client.respond(
            json_reply(202, R"({"result":"accepted","text":"asked for; the outcome is not waited for"})"));
    }
    client.await();
    ask([question, weak = client.weak_from_this()](const core::Outcome& outcome) {
        question->close();
        if (const auto still_there = weak.lock()) still_there->answer(outcome_reply(outcome));
    });
}

bool Server::Desk::make_room_for_a_stream() {
    if (streams_.size() < limits_.event_streams) return true;
    const auto stalled = std::ranges::find_if(streams_, [](const auto& entry) { return entry.second->is_stalled(); });
    if (stalled == streams_.end()) return false;
    const auto stream = stalled->second;
    stream->close();  // takes itself out
    return true;
}

void Server::Desk::serve(Connection& client, EventsWanted) {
    if (!make_room_for_a_stream()) {
        return client.respond(
            error_reply(503, std::to_string(limits_.event_streams) + " clients follow the events already"));
    }
    const auto stream = std::make_shared<EventStream>(client.release_socket(), limits_.event_queue_bytes,
                                                      [this](EventStream& which) { streams_.erase(&which); });
    streams_.emplace(stream.get(), stream);
    stream->start();
    stream->hold(supervised_.follow_events([weak = stream->weak_from_this()](std::string_view event) {
        if (const auto still_there = weak.lock()) still_there->hear(event);
    }));
}

void Server::Desk::close_when_answered(std::function<void()> done) {
    const auto streams = streams_;
    for (const auto& [key, stream] : streams) stream->close_when_written();
    reception_->close_when_answered(std::move(done));
}

void Server::Desk::close() {
    const auto streams = streams_;
    for (const auto& [key, stream] : streams) stream->close();
    reception_->close();
}

}  // namespace holdfast::api
