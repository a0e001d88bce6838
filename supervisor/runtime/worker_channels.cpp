#include "runtime/worker_channels.hpp"

#include <bit>
#include <boost/asio/error.hpp>
#include <limits>
#include <utility>

#include "os/pipe.hpp"
#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

using boost::asio::posix::stream_descriptor;

// Threads that hang in a close() of what workers have sent. Beyond them such descriptors stay open.
constexpr std::size_t max_stuck_closers = 64;

}  // namespace

WorkerChannels::WorkerChannels(boost::asio::io_context& io, WorkerTable& workers, EventQueue& event_queue, Log& log,
                               Output& output, std::function<void(Worker&)> main_ended)
    : io_(io),
      workers_(workers),
      event_queue_(event_queue),
      log_(log),
      output_(output),
      main_ended_(std::move(main_ended)),
      closer_limit_(max_stuck_closers),
      buffer_(max_message_bytes + 1) {}

void WorkerChannels::start(Worker& worker) {
    if (worker.control) await_message(worker.id, Channel::control);
    if (worker.notify) await_message(worker.id, Channel::notify);
    if (worker.error_output) await_output(worker.id);
}

void WorkerChannels::read_rest(Worker& worker) {
    if (worker.control) read_messages(worker, Channel::control, max_messages_at_exit);
    if (worker.notify) read_messages(worker, Channel::notify, max_messages_at_exit);
    if (worker.error_output) read_output(worker);
    worker.error_lines.finish(output_);
}

void WorkerChannels::close_channels(Worker& worker) {
    close_control(worker);
    forget(worker.notify);
    if (worker.notify_socket) close_later(worker, worker.notify_socket->close_channel());
    worker.notify_socket.reset();
}

void WorkerChannels::close_control(Worker& worker) {
    if (worker.control) close_later(worker, os::close_channel(os::UniqueFd(worker.control->release())));
    worker.control.reset();
}

// Each worker has a thread of its own for this: a close() that hangs delays no other worker.
void WorkerChannels::close_later(Worker& worker, std::vector<os::UniqueFd> descriptors) {
    if (descriptors.empty()) return;
    if (!worker.closer) worker.closer = std::make_unique<DescriptorCloser>(closer_limit_);
    worker.closer->close(std::move(descriptors));
}

void WorkerChannels::await_message(WorkerId id, Channel channel) {
    Worker& worker = *workers_.find(id);
    auto& descriptor = channel == Channel::control ? worker.control : worker.notify;
    descriptor->async_wait(stream_descriptor::wait_read, [this, id, channel](boost::system::error_code failed) {
        Worker* found = workers_.find(id);
        if (failed || found == nullptr) return;
        if (read_messages(*found, channel, max_messages_per_wakeup) == Open::yes) await_message(id, channel);
    });
}

void WorkerChannels::await_output(WorkerId id) {
    workers_.find(id)->error_output->async_wait(stream_descriptor::wait_read,
                                                [this, id](boost::system::error_code failed) {
                                                    Worker* found = workers_.find(id);
                                                    if (failed || found == nullptr) return;
                                                    if (read_output(*found) == Open::yes) await_output(id);
                                                });
}

WorkerChannels::Open WorkerChannels::read_messages(Worker& worker, Channel channel, int at_most) {
    auto& descriptor = channel == Channel::control ? worker.control : worker.notify;
    for (int taken = 0; descriptor && taken < at_most; ++taken) {
        os::Packet packet = os::receive_packet(descriptor->native_handle(), buffer_);
        if (packet.arrival == os::Arrival::nothing) return Open::yes;
        if (packet.arrival == os::Arrival::lost) {  // only the control pipe: a datagram socket has no peer
            close_control(worker);
            event_queue_.push(core::ChannelLost{worker.id});
            return Open::no;
        }
        take_packet(worker, channel, std::move(packet));
    }
    return descriptor ? Open::yes : Open::no;
}

void WorkerChannels::take_packet(Worker& worker, Channel channel, os::Packet packet) {
    const std::size_t descriptors = packet.descriptors.size();
    close_later(worker, os::close_received(std::move(packet.descriptors)));
    if (channel == Channel::notify && packet.sender && packet.sender->uid != worker.uid && packet.sender->uid != 0) {
        refuse(worker, "it was sent by uid " + std::to_string(packet.sender->uid) + ", not by the uid of this worker");
        return;
    }
    if (packet.arrival == os::Arrival::empty) return refuse(worker, "it is empty");
    if (packet.is_truncated) return refuse(worker, "it is longer than 64 KiB");
    if (packet.lost_descriptors) return refuse(worker, "it carries more descriptors than can be received");
    auto decoded = wire::decode_report(packet.bytes, descriptors);
    if (const auto* malformed = std::get_if<wire::Malformed>(&decoded)) return refuse(worker, malformed->why);
    auto& report = std::get<Report>(decoded);
    if (report.main_pid) take_main_pid(worker, *report.main_pid);
    event_queue_.push(core::Said{worker.id, std::move(report)});
}

void WorkerChannels::take_main_pid(Worker& worker, std::int64_t claimed) {
    if (claimed == worker.pid()) return;
    if (!worker.leader || claimed <= 0 || claimed > std::numeric_limits<pid_t>::max()) {
        return refuse(worker, "MAINPID=" + std::to_string(claimed) + " is not a process of this worker");
    }
    auto process = os::claim_main_process(static_cast<pid_t>(claimed), worker.leader, worker.markers, worker.uid);
    if (!process) return refuse(worker, process.error().text);
    forget(worker.main_watch);
    worker.declared_main = std::move(*process);
    worker.declared_status.reset();
    // Without this watch, its end is noticed at the next SIGCHLD.
    if (wait_for(worker.main_watch, io_, worker.declared_main.pidfd()) == 0) await_main_end(worker.id);
    log_.write(core::Level::info, "main_process_declared", {worker.name, worker.leader.pid()},
               "declares as its main process pid " + std::to_string(claimed));
}

void WorkerChannels::await_main_end(WorkerId id) {
    workers_.find(id)->main_watch->async_wait(stream_descriptor::wait_read,
                                              [this, id](boost::system::error_code failed) {
                                                  Worker* found = workers_.find(id);
                                                  if (failed || found == nullptr) return;
                                                  if (os::has_ended(found->declared_main)) {
                                                      main_ended_(*found);
                                                  } else {
                                                      await_main_end(id);
                                                  }
                                              });
}

void WorkerChannels::refuse(Worker& worker, std::string_view why) {
    // Logs the 1st to 8th rejected message, then the 16th, the 32nd, …: a flood of messages must not fill the log.
    const auto count = ++worker.refused_messages;
    if (count > 8 && !std::has_single_bit(count)) return;
    std::string text = "message rejected: " + std::string(why);
    if (count > 8) text += " (" + std::to_string(count) + " in total)";
    log_.write(core::Level::warning, "message_refused", {worker.name, worker.pid()}, text);
}

WorkerChannels::Open WorkerChannels::read_output(Worker& worker) {
    const os::Chunk chunk = os::read_chunk(worker.error_output->native_handle(), buffer_);
    if (chunk.reading == os::Reading::nothing) return Open::yes;
    if (chunk.reading == os::Reading::end) {
        worker.error_output.reset();
        return Open::no;
    }
    const std::string_view bytes(buffer_.data(), chunk.size);
    worker.last_lines.add(bytes);
    worker.error_lines.copy(bytes, output_);
    return Open::yes;
}

}  // namespace holdfast::runtime
