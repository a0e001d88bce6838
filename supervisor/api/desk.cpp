#include "api/desk.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "api/encode.hpp"
#include "core/why.hpp"

namespace holdfast::api {
namespace {

HttpReply json_reply(int http_status, std::string json, std::string allow = {}) {
    return {http_status, std::move(json) + "\n", "application/json", std::move(allow)};
}

HttpReply error_reply(int http_status, std::string_view text) { return json_reply(http_status, error_to_json(text)); }

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
        Reception::Limits{limits.connections, limits.patience, limits.pause, limits.closing});
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
    client.respond(json_reply(200, text_to_json(core::explain(supervised_.snapshot(), wanted.worker))));
}

void Server::Desk::serve(Connection& client, const Rejection& rejection) {
    client.respond(json_reply(rejection.http_status, error_to_json(rejection.text), rejection.allow));
}

void Server::Desk::serve(Connection& client, ChangeWanted change) {
    change.request.asked_by = describe(client.peer());
    ask(client, change.wait, [&](auto answer) { supervised_.ask(std::move(change.request), std::move(answer)); });
}

void Server::Desk::serve(Connection& client, ReloadWanted reload) {
    const std::string asked_by = describe(client.peer());
    ask(client, reload.wait, [&](auto answer) { supervised_.reload(asked_by, std::move(answer)); });
}

template <class Ask>
void Server::Desk::ask(Connection& client, ChangeWanted::Wait wait, Ask ask) {
    if (wait == ChangeWanted::Wait::no) {
        ask([](const core::Outcome&) {});
        return client.respond(
            json_reply(202, R"({"result":"accepted","text":"asked for; the outcome is not waited for"})"));
    }
    if (reception_->waiting() >= limits_.waiting) {
        return client.respond(error_reply(
            503, std::to_string(limits_.waiting) + " clients wait for an outcome already; ask later, or with wait=no"));
    }
    client.await();
    ask([weak = client.weak_from_this()](const core::Outcome& outcome) {
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
    stream->hold(supervised_.follow_events([weak = stream->weak_from_this()](std::string_view event) {
        if (const auto still_there = weak.lock()) still_there->hear(event);
    }));
    stream->start();
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
