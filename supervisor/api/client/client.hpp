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

// Whose supervisor is meant. Both empty: the one that this user runs.
struct ServiceSelector {
    std::string name{};         // of the service
    std::string runtime_dir{};  // its runtime directory itself, where the user named it
};

// Where this process's user has services: its environment and its uid.
RuntimeEnvironment surroundings_of_this_process();

// Every supervisor of this user that answers within 2 s, ordered by name.
std::vector<Service> list_services(const RuntimeEnvironment& surroundings = surroundings_of_this_process());

// The one that is meant. The error says where was looked, or which ones there are to choose from. A socket that is
// held by a process of a third user is none, unless its directory was named.
Result<Service> find_service(const ServiceSelector& selector,
                             const RuntimeEnvironment& surroundings = surroundings_of_this_process());

// Asks for a change and blocks until its outcome is known, however long that takes. A supervisor that ended before it
// answered is noticed at once and is an error.
Result<ChangeOutcome> send_change(const Service& service, const ChangeRequest& request, Wait wait);
Result<ChangeOutcome> restart(const Service& service, Wait wait);
Result<ChangeOutcome> stop(const Service& service, Wait wait);
Result<ChangeOutcome> scale(const Service& service, int workers, Wait wait);
Result<ChangeOutcome> rollback(const Service& service, Wait wait);
Result<ChangeOutcome> undo(const Service& service, Wait wait);
Result<ChangeOutcome> pause(const Service& service, Wait wait);
Result<ChangeOutcome> resume(const Service& service, Wait wait);
Result<ChangeOutcome> reload(const Service& service, Wait wait);

// The questions below are answered within 2 s, or are an error.

Result<Service> fetch_status(const Service& service);
// What a reload would change, or why it cannot be done (`result` is refused then). Nothing is touched.
Result<ChangeOutcome> preview_reload(const Service& service);
// The history's lines, each a JSON object, oldest first; with `newest` so many at most.
Result<std::vector<std::string>> history(const Service& service, std::optional<std::size_t> newest = std::nullopt);
// The last lines of every living worker's standard error, and of the last one that ended in each slot; or of one.
Result<std::vector<OutputView>> logs(const Service& service, std::string_view worker = {});
// Why this worker is still here, in a sentence.
Result<std::string> why(const Service& service, std::string_view worker);

// Blocks and hands over each event from now on, until `on_event` has had enough or the supervisor ends; neither is an
// error. Once `cancel_fd` is readable it ends with EINTR.
enum class Continue { yes, no };
Result<void> follow_events(const Service& service, const std::function<Continue(const EventView&)>& on_event,
                           int cancel_fd = -1);

}  // namespace holdfast::api
