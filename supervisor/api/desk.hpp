#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "api/event_stream.hpp"
#include "api/open_questions.hpp"
#include "api/reception.hpp"
#include "api/server.hpp"

namespace holdfast::api {

// Answers the API's requests, one function each.
class Server::Desk {
  public:
    Desk(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Supervised supervised, Limits limits);

    void open() { reception_->open(); }
    void close_when_answered(std::function<void()> done);
    void close();

  private:
    // A stop and an undo have places of their own: they are what somebody needs when everybody else waits.
    enum class Urgency { ordinary, way_out };

    void serve(Connection& client, const HttpQuery& query);
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
    void ask(Connection& client, ChangeWanted::Wait wait, Urgency urgency, Ask ask);
    // Why one more cannot be asked for; empty: it can.
    std::string describe_crowd(ChangeWanted::Wait wait, Urgency urgency) const;
    bool make_room_for_a_stream();

    uid_t our_uid_;
    Supervised supervised_;
    Limits limits_;
    OpenQuestions open_questions_;
    std::unordered_map<EventStream*, std::shared_ptr<EventStream>> streams_;
    std::shared_ptr<Reception> reception_;
};

}  // namespace holdfast::api
