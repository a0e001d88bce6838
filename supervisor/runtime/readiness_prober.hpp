#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/action.hpp"
#include "os/socket_address.hpp"
#include "runtime/event_queue.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Carries out Probe: asks a worker whether it serves, as --ready-when says. What it answers costs at most 1 KiB,
// however slow or long it is, and core::probe_timeout.
class ReadinessProber {
  public:
    ReadinessProber(boost::asio::io_context& io, EventQueue& event_queue);
    ~ReadinessProber();

    // Told by one ProbeAnswered, unless the worker is forgotten first. One that was launched when nothing was to be
    // asked is not asked now: good.
    void probe(const Worker& worker);

    // No answer of it is wanted any more.
    void forget(WorkerId worker);

  private:
    struct ProbeAttempt;
    void answer(std::uint64_t number, core::ProbeAnswered::Answer answer, std::string text);
    void await_connection(const std::shared_ptr<ProbeAttempt>& attempt);
    void connected(const std::shared_ptr<ProbeAttempt>& attempt);
    void await_answer(const std::shared_ptr<ProbeAttempt>& attempt);
    void read_answer(const std::shared_ptr<ProbeAttempt>& attempt);
    void set_deadline(const std::shared_ptr<ProbeAttempt>& attempt);

    boost::asio::io_context& io_;
    EventQueue& event_queue_;
    std::map<std::uint64_t, std::shared_ptr<ProbeAttempt>> attempts_;  // by their number
    std::uint64_t last_number_ = 0;
};

}  // namespace holdfast::runtime
