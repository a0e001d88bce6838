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

// Reads what workers say: the control pipe, the notify socket, standard error. Whatever they say or leave unsaid, each
// iteration of the loop does a bounded amount of work for each of them (invariant 12).
class WorkerChannels {
  public:
    static constexpr int max_messages_per_wakeup = 16;
    static constexpr int max_messages_at_exit = 1024;  // more than a control pipe can hold

    // `main_ended` is called when the process that a worker named with MAINPID= has ended.
    WorkerChannels(boost::asio::io_context& io, WorkerTable& workers, EventQueue& event_queue, Log& log, Output& output,
                   std::function<void(Worker&)> main_ended);

    // From the moment at which core knows that the worker was spawned.
    void start(Worker& worker);

    // Everything that is still to be read, before its exit is told: who reports and exits leaves both at once.
    void read_rest(Worker& worker);

    // Closes its channels: what they hold unread may carry descriptors whose close() can hang.
    void close_channels(Worker& worker);

  private:
    enum class Channel { control, notify };
    enum class Open { yes, no };

    void close_control(Worker& worker);
    void await_message(WorkerId id, Channel channel);
    void await_output(WorkerId id);
    Open read_messages(Worker& worker, Channel channel, int at_most);
    void take_packet(Worker& worker, Channel channel, os::Packet packet);
    void take_main_pid(Worker& worker, std::int64_t claimed);
    void await_main_end(WorkerId id);
    void refuse(Worker& worker, std::string_view why);
    Open read_output(Worker& worker);
    void copy_lines(Worker& worker, std::string_view bytes);

    boost::asio::io_context& io_;
    WorkerTable& workers_;
    EventQueue& event_queue_;
    Log& log_;
    Output& output_;
    std::function<void(Worker&)> main_ended_;
    DescriptorCloser descriptor_closer_;
    std::vector<char> buffer_;  // one for all: what was read is taken before the next read
};

}  // namespace holdfast::runtime
