#include "api/server/handlers.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "api/server/encode.hpp"
#include "core/describe/why.hpp"

namespace holdfast::api {
namespace {

HttpResponse json_reply(int http_status, std::string json, std::string allow = {}) {
    return {http_status, std::move(json) + "\n", "application/json", std::move(allow)};
}

HttpResponse error_reply(int http_status, std::string_view text) {
    return json_reply(http_status, error_to_json(text));
}

std::string name_of(const core::WorkerStatus& worker) {
    return std::to_string(worker.generation.value) + "." + std::to_string(worker.slot.value);
}

bool is_reserved(const core::Request& request) {
    return std::holds_alternative<core::Stop>(request.what) || std::holds_alternative<core::Undo>(request.what);
}

HttpResponse outcome_reply(const core::Outcome& outcome) {
    return json_reply(http_status_of(outcome.result), to_json(outcome));
}

}  // namespace

Server::Handlers::Handlers(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Backend backend,
                           Limits limits)
    : our_uid_(our_uid), backend_(std::move(backend)), limits_(limits) {
    ConnectionConfig config;
    config.io_timeout = limits.io_timeout;
    config.serve = [this](Connection& client, const HttpRequest& request) { serve(client, request); };
    config.error_response = [](int http_status, const std::string& text) { return error_reply(http_status, text); };
    connection_manager_ = std::make_shared<ConnectionManager>(
        executor, std::vector{listening_fd}, std::move(config),
        ConnectionManager::Limits{limits.connections, limits.max_unread_bytes, limits.min_idle, limits.emfile_backoff,
                                  limits.close_timeout});
}

void Server::Handlers::serve(Connection& client, const HttpRequest& request) {
    const Peer peer = client.peer();
    if (!is_authorized(peer.uid, our_uid_)) {
        return client.respond(error_reply(403, "permission denied for uid " + std::to_string(peer.uid) + ": only uid " +
                                                   std::to_string(our_uid_) + " and root may use this supervisor"));
    }
    Route route = find_route(request.method, request.target, request.body);
    std::visit([&](auto wanted) { serve(client, std::move(wanted)); }, std::move(route));
}

void Server::Handlers::serve(Connection& client, StatusWanted) {
    client.respond(json_reply(200, to_json(backend_.snapshot())));
}

void Server::Handlers::serve(Connection& client, ReloadPreviewWanted) {
    client.respond(outcome_reply(backend_.preview_reload()));
}

void Server::Handlers::serve(Connection& client, HistoryWanted wanted) {
    const std::vector<std::string> lines = backend_.history();
    const std::size_t count = std::min(lines.size(), wanted.limit.value_or(lines.size()));
    client.respond(json_reply(200, objects_to_json(std::span(lines).last(count))));
}

void Server::Handlers::serve(Connection& client, const LogsWanted& wanted) {
    auto outputs = backend_.last_output();
    if (!wanted.worker.empty()) std::erase_if(outputs, [&](const auto& each) { return each.worker != wanted.worker; });
    if (outputs.empty() && !wanted.worker.empty()) {
        return client.respond(error_reply(404, "there is no output of a worker " + wanted.worker));
    }
    client.respond(json_reply(200, to_json(outputs)));
}

void Server::Handlers::serve(Connection& client, const WhyWanted& wanted) {
    const core::Status status = backend_.snapshot();
    const std::string text = core::explain(status, wanted.worker);
    const bool is_here = std::ranges::any_of(
        status.workers, [&](const core::WorkerStatus& worker) { return name_of(worker) == wanted.worker; });
    client.respond(is_here ? json_reply(200, text_to_json(text)) : error_reply(404, text));
}

void Server::Handlers::serve(Connection& client, const Rejection& rejection) {
    client.respond(json_reply(rejection.http_status, error_to_json(rejection.text), rejection.allow));
}

void Server::Handlers::serve(Connection& client, ChangeWanted change) {
    change.request.asked_by = describe(client.peer());
    const Priority priority = is_reserved(change.request) ? Priority::reserved : Priority::ordinary;
    start_change(client, change.wait, priority,
                 [&](auto answer) { backend_.ask(std::move(change.request), std::move(answer)); });
}

void Server::Handlers::serve(Connection& client, ReloadWanted reload) {
    const std::string asked_by = describe(client.peer());
    start_change(client, reload.wait, Priority::ordinary,
                 [&](auto answer) { backend_.reload(asked_by, std::move(answer)); });
}

std::string Server::Handlers::overload_reason(ChangeWanted::Wait wait, Priority priority) const {
    const std::size_t share = priority == Priority::reserved ? 2 : 1;
    if (wait == ChangeWanted::Wait::for_outcome && connection_manager_->waiting() >= share * limits_.waiting) {
        return "cannot accept the request: " + std::to_string(connection_manager_->waiting()) +
               " clients already wait for an outcome; nothing was changed; try again later, or without waiting "
               "(--no-wait, ?wait=no)";
    }
    if (pending_changes_.count() >= share * limits_.pending_changes) {
        return "cannot accept the request: " + std::to_string(pending_changes_.count()) +
               " earlier requests have no outcome yet; nothing was changed; try again later";
    }
    return {};
}

template <class Ask>
void Server::Handlers::start_change(Connection& client, ChangeWanted::Wait wait, Priority priority, Ask ask) {
    if (const std::string reason = overload_reason(wait, priority); !reason.empty()) {
        return client.respond(error_reply(503, reason));
    }
    const auto pending = pending_changes_.add();
    if (wait == ChangeWanted::Wait::no) {
        ask([pending](const core::Outcome&) { pending->close(); });
        return client.respond(
            json_reply(202, R"({"result":"accepted","text":"accepted; not waiting for the outcome"})"));
    }
    client.defer_response();
    ask([pending, weak = client.weak_from_this()](const core::Outcome& outcome) {
        pending->close();
        if (const auto connection = weak.lock()) connection->respond_deferred(outcome_reply(outcome));
    });
}

bool Server::Handlers::make_room_for_a_stream() {
    if (streams_.size() < limits_.event_streams) return true;
    const auto stalled = std::ranges::find_if(streams_, [](const auto& entry) { return entry.second->is_stalled(); });
    if (stalled == streams_.end()) return false;
    const auto stream = stalled->second;
    stream->close();  // removes itself from streams_
    return true;
}

void Server::Handlers::serve(Connection& client, EventsWanted) {
    if (!make_room_for_a_stream()) {
        return client.respond(error_reply(503, "cannot open an event stream: " + std::to_string(limits_.event_streams) +
                                                   " clients already follow the events; try again later"));
    }
    const auto stream = std::make_shared<EventStream>(client.release_socket(), limits_.event_queue_bytes,
                                                      [this](EventStream& which) { streams_.erase(&which); });
    streams_.emplace(stream.get(), stream);
    stream->start();
    stream->keep_subscription(backend_.follow_events([weak = stream->weak_from_this()](std::string_view event) {
        if (const auto open_stream = weak.lock()) open_stream->push(event);
    }));
}

void Server::Handlers::close_when_answered(std::function<void()> done) {
    const auto streams = streams_;
    for (const auto& [key, stream] : streams) stream->close_when_written();
    connection_manager_->close_when_answered(std::move(done));
}

void Server::Handlers::close() {
    const auto streams = streams_;
    for (const auto& [key, stream] : streams) stream->close();
    connection_manager_->close();
}

}  // namespace holdfast::api
