#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/runtime_paths.hpp"

namespace holdfast::api {

// The status as the API tells it: the manual explains each field. Times are in seconds, counted back from the answer
// (`since_s`, `age_s`, `drained_s`) or on from it (`deadline_s`, `next_attempt_s`).
struct WaitingView {
    std::string kind, name;
    double age_s = 0;
};

struct HeldView {
    std::string kind;
    std::uint64_t count = 0;  // of them `waiting` names the oldest
};

struct WorkerView {
    std::string worker;  // "<generation>.<slot>"
    std::uint64_t generation = 0;
    int pid = 0;
    std::string state;
    double since_s = 0;
    std::optional<double> deadline_s;
    std::string speaks;
    bool settled = false;
    std::optional<bool> accepting;
    std::optional<std::uint64_t> in_flight, served;
    std::vector<WaitingView> waiting;
    std::vector<HeldView> held;
    std::optional<std::uint64_t> handed_back;  // items of work
    std::optional<double> drained_s;           // everything is released since then
    std::string status, why_leaving;
};

struct SlotView {
    std::uint64_t slot = 0;
    int crashes_in_a_row = 0;
    std::optional<double> next_attempt_s;
};

struct ListenerView {
    std::string name, address;
    int backlog = 0;
    std::uint64_t revived = 0;
};

struct ServiceView {
    std::string name;
    int pid = 0;
    std::string phase, detail;
    bool mixed = false;
    int target = 0;
    std::uint64_t generation = 0, restarts = 0;
    std::vector<WorkerView> workers;
    std::vector<SlotView> slots;
    std::vector<ListenerView> listeners;
};

// A supervisor that answered.
struct Service {
    std::string directory;    // its runtime directory; api.sock lies in it
    std::string status_json;  // its status, word for word
    ServiceView status;
};

// Whose supervisor is meant. Both empty: the one that this user runs.
struct Where {
    std::string name{};         // of the service
    std::string runtime_dir{};  // its runtime directory itself, where the user named it
};

// Where this process's user has services: its environment and its uid.
RuntimeSurroundings surroundings_of_this_process();

// Every supervisor of this user that answers within 2 s, ordered by name.
std::vector<Service> list_services(const RuntimeSurroundings& surroundings = surroundings_of_this_process());

// The one that is meant. The error says where was looked, or which ones there are to choose from. A socket that is
// held by a process of a third user is none, unless its directory was named.
Result<Service> find_service(const Where& where,
                             const RuntimeSurroundings& surroundings = surroundings_of_this_process());

enum class Wait { for_outcome, no };

// The outcome of a change. `result` is done, failed, mixed, superseded, interrupted or refused; accepted if nobody
// waits for it.
struct Answer {
    std::string result;
    std::string text;
    std::vector<std::string> last_words;
    int exit_code = 0;
    std::string json;  // all of it, word for word
};

// Asks for a change and blocks until its outcome is known, however long that takes. A supervisor that ended before it
// answered is noticed at once and is an error.
Result<Answer> restart(const Service& service, Wait wait);
Result<Answer> stop(const Service& service, Wait wait);
Result<Answer> scale(const Service& service, int workers, Wait wait);

}  // namespace holdfast::api
