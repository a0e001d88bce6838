#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client/change_client.hpp"
#include "api/client/history_record.hpp"
#include "api/client/views.hpp"
#include "base/result.hpp"
#include "base/runtime_paths.hpp"

namespace holdfast::api {

// Selects a supervisor. If both are empty, it is the only one that this user runs.
struct ServiceSelector {
    std::string name{};         // of the service
    std::string runtime_dir{};  // path of the runtime directory, if the user named it
};

// The environment variables and the uid of this process, which determine where its user's services are found.
RuntimeEnvironment current_environment();

// Returns every supervisor of this user that answers within 2 s, ordered by name.
std::vector<Service> list_services(const RuntimeEnvironment& environment = current_environment());

// Finds the selected supervisor. The error lists the paths that were tried, or the services to choose from. A socket on
// which a process of another user than this one or root listens is not trusted, unless `runtime_dir` names its
// directory.
Result<Service> find_service(const ServiceSelector& selector,
                             const RuntimeEnvironment& environment = current_environment());

// Requests a change and blocks until its outcome is known, without a timeout. It is an error if the supervisor ends
// before it has answered.
Result<ChangeOutcome> send_change(const Service& service, const ChangeRequest& request, Wait wait);
Result<ChangeOutcome> restart(const Service& service, Wait wait);
Result<ChangeOutcome> stop(const Service& service, Wait wait);
Result<ChangeOutcome> scale(const Service& service, int workers, Wait wait);
Result<ChangeOutcome> rollback(const Service& service, Wait wait);
Result<ChangeOutcome> undo(const Service& service, Wait wait);
Result<ChangeOutcome> pause(const Service& service, Wait wait);
Result<ChangeOutcome> resume(const Service& service, Wait wait);
Result<ChangeOutcome> reload(const Service& service, Wait wait);

// The functions below fail if the supervisor does not answer within 2 s.

Result<Service> fetch_status(const Service& service);
// What a reload would change. If the reload is not possible, `result` is refused and the text says why. Changes
// nothing.
Result<ChangeOutcome> preview_reload(const Service& service);
// The lines of the history, each a JSON object, oldest first; at most the `limit` newest ones.
Result<std::vector<std::string>> history(const Service& service, std::optional<std::size_t> limit = std::nullopt);
// The last lines of standard error of every running worker and of the last one that ended in each slot, or only of
// `worker`.
Result<std::vector<OutputView>> logs(const Service& service, std::string_view worker = {});
// A sentence that explains why this worker is still running.
Result<std::string> why(const Service& service, std::string_view worker);

// Blocks and calls `on_event` with each event from now on, until it returns Continue::no or the supervisor ends;
// neither is an error. Returns EINTR when `cancel_fd` becomes readable.
enum class Continue { yes, no };
Result<void> follow_events(const Service& service, const std::function<Continue(const EventView&)>& on_event,
                           int cancel_fd = -1);

}  // namespace holdfast::api
