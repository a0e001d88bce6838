#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "api/server/connection_manager.hpp"
#include "api/server/event_stream.hpp"
#include "api/server/pending_changes.hpp"
#include "api/server/server.hpp"

namespace holdfast::api {

// The request handlers of the API, one function for each route.
class Server::Handlers {
  public:
    Handlers(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Backend backend, Limits limits);

    void open() { connection_manager_->open(); }
    void close_when_answered(std::function<void()> done);
    void close();

  private:
    // Stop and undo have a reserved share of the limits, so that they are accepted when other requests have used up
    // theirs.
    enum class Priority { ordinary, reserved };

    void serve(Connection& client, const HttpRequest& request);
    void serve(Connection& client, StatusWanted);
    void serve(Connection& client, ReloadPreviewWanted);
    void serve(Connection& client, HistoryWanted wanted);
    void serve(Connection& client, const LogsWanted& wanted);
    void serve(Connection& client, const WhyWanted& wanted);
    void serve(Connection& client, EventsWanted);
    void serve(Connection& client, ChangeWanted change);
    void serve(Connection& client, ReloadWanted reload);
    void serve(Connection& client, const Rejection& rejection);
    template <class Ask>
    void start_change(Connection& client, ChangeWanted::Wait wait, Priority priority, Ask ask);
    // Why no further change can be accepted; empty if one can.
    std::string overload_reason(ChangeWanted::Wait wait, Priority priority) const;
    bool make_room_for_a_stream();

    uid_t our_uid_;
    Backend backend_;
    Limits limits_;
    PendingChanges pending_changes_;
    std::unordered_map<EventStream*, std::shared_ptr<EventStream>> streams_;
    std::shared_ptr<ConnectionManager> connection_manager_;
};

}  // namespace holdfast::api
