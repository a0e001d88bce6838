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

// Executes Probe: sends a readiness probe to a worker, as configured with --ready-when. Reads at most 1 KiB of the
// response and waits at most core::probe_timeout.
class ReadinessProber {
  public:
    ReadinessProber(boost::asio::io_context& io, EventQueue& event_queue);
    ~ReadinessProber();

    // The result is one ProbeAnswered event, unless the worker is forgotten first. A worker that was launched without a
    // probe is reported as good without a request.
    void probe(const Worker& worker);

    // Cancels the probes of this worker; no result is reported.
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
    std::map<std::uint64_t, std::shared_ptr<ProbeAttempt>> attempts_;  // by number
    std::uint64_t last_number_ = 0;
};

}  // namespace holdfast::runtime
