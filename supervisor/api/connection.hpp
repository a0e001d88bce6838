#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/route.hpp"
#include "api/server.hpp"

namespace holdfast::api {

// What all connections share; outlives them.
struct Host {
    uid_t our_uid = 0;
    Ask ask;
    Snapshot snapshot;
    Limits limits;
};

// One client: its requests are read, answered and only then the next is read. Ends by itself after 10 s without a
// whole request, when the client hangs up, or when it is closed.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Socket = boost::asio::local::stream_protocol::socket;

    // `closed` is called once, when the socket is closed, whoever closed it.
    Connection(Socket socket, const Host& host, std::function<void(Connection&)> closed);
    ~Connection();

    void start();
    // Ends at once if nothing is owed to the client, else when its answer is written.
    void close_when_answered();
    void close();

  private:
    struct Reader;
    struct Writer;
    enum class State { reading, waiting, writing, closed };
    enum class Afterwards { read_on, close };

    void read();
    void handle_request();
    void handle_broken_request(const boost::system::error_code& failure);
    void ask(ChangeWanted change);
    void watch_for_hang_up();
    void answer(const core::Outcome& outcome);
    void respond(int http_status, std::string json, const std::string& allow = {});
    void written(const boost::system::error_code& failure);
    void limit_time();
    void end_limit();

    Socket socket_;
    const Host& host_;
    std::function<void(Connection&)> closed_;
    boost::asio::steady_timer timer_;  // runs only while bytes are awaited
    std::uint64_t limit_ = 0;          // which of its runs is the present one
    State state_ = State::reading;
    Afterwards afterwards_ = Afterwards::read_on;
    Peer peer_;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<Writer> writer_;
};

}  // namespace holdfast::api
