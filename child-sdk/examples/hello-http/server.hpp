#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <holdfast/worker.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "acceptor.hpp"
#include "access_log.hpp"
#include "pool.hpp"

class Connection;

// What the handlers of all connections share. The set is the event loop's alone.
struct Service {
    holdfast::Worker& worker;
    Pool& pool;
    AccessLog& log;
    std::string worker_id;  // "<generation>.<slot>.<pid>", for the header X-Worker
    std::set<Connection*> connections;
    std::optional<std::chrono::steady_clock::time_point> leaving_since;
};

// HTTP/1.1 on one event loop in a thread of its own. All functions may be called from any thread.
class Server {
  public:
    Server(holdfast::Worker& worker, const holdfast::Listener& listener, Pool& pool, AccessLog& log);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Also again, after stop_accepting() or leave().
    void start_accepting();

    // Returns when the accept queue has been emptied. Connections are served on.
    void stop_accepting();

    // Connections are served to their end: what is idle may ask once more within a second.
    void leave();

    // Every connection is closed now.
    void abandon();

  private:
    Service service_;  // before the loop: connections that are open at the end are destroyed with it
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::jthread thread_;
    Acceptor acceptor_;  // after the thread: its last accepted connections still find a loop
};
