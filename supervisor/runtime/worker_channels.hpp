#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "core/configuration.hpp"
#include "os/packet.hpp"
#include "runtime/descriptor_closer.hpp"
#include "runtime/event_queue.hpp"
#include "runtime/log.hpp"
#include "runtime/output.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Reads what workers send: on the control pipe, the notify socket and standard error. Each iteration of the loop does a
// bounded amount of work for each worker, no matter what it sends or does not send (invariant 12).
class WorkerChannels {
  public:
    static constexpr int max_messages_per_wakeup = 16;
    static constexpr int max_messages_at_exit = 1024;  // more than a control pipe can contain

    // `main_ended` is called when a process declared with MAINPID= has ended.
    WorkerChannels(boost::asio::io_context& io, WorkerTable& workers, EventQueue& event_queue, Log& log, Output& output,
                   std::function<void(Worker&)> main_ended);

    // Called once the core knows that the worker was spawned.
    void start(Worker& worker);

    // Reads everything that is left. Called before an exit is reported, because a worker may send a report and exit at
    // once.
    void read_rest(Worker& worker);

    // Closes the channels. Unread packets may carry descriptors whose close() can hang.
    void close_channels(Worker& worker);

  private:
    enum class Channel { control, notify };
    enum class Open { yes, no };

    void close_control(Worker& worker);
    void close_later(Worker& worker, std::vector<os::UniqueFd> descriptors);
    void await_message(WorkerId id, Channel channel);
    void await_output(WorkerId id);
    Open read_messages(Worker& worker, Channel channel, int at_most);
    void take_packet(Worker& worker, Channel channel, os::Packet packet);
    void take_main_pid(Worker& worker, std::int64_t claimed);
    void await_main_end(WorkerId id);
    void refuse(Worker& worker, std::string_view why);
    Open read_output(Worker& worker);

    boost::asio::io_context& io_;
    WorkerTable& workers_;
    EventQueue& event_queue_;
    Log& log_;
    Output& output_;
    std::function<void(Worker&)> main_ended_;
    StuckThreadLimit closer_limit_;  // of all workers together
    std::vector<char> buffer_;       // shared by all reads: each one is processed before the next
};

}  // namespace holdfast::runtime
