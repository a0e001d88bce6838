#include "tests/simulator/coverage_moments.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "tests/simulator/coverage_table.hpp"

namespace holdfast::simulator {

namespace {

// The stages of a rollout have the names used in the status.
constexpr auto moments =
    std::to_array<std::string_view>({"checking", "starting", "taking over", "probation", "retiring", "rolling back",
                                     "first generation", "serving", "paused", "scaling", "undoing a stop", "stopping"});
static_assert(moments.size() == MomentCoverage::moment_count);
constexpr std::size_t stage_count = 6;
enum Moment : std::size_t {
    rollout_checking,
    first_generation = stage_count,
    serving,
    paused,
    scaling,
    undoing,
    stopping
};

// The requests are in the order of core::Request.
constexpr auto events =
    std::to_array<std::string_view>({"restart", "stop", "scale", "scale by", "pause", "resume", "rollback", "undo",
                                     "reload", "elapsed", "exit of an old worker", "message of an old worker",
                                     "exit of a new worker", "message of a new worker", "prepared", "veto", "other"});
static_assert(events.size() == MomentCoverage::event_count);
constexpr std::size_t request_count = 9;
enum EventKind : std::size_t {
    elapsed = request_count,
    old_exit,
    old_message,
    new_exit,
    new_message,
    prepared,
    veto,
    other
};

std::optional<std::size_t> moment_of(const core::Status& status) {
    if (status.change) {
        if (status.change->what.starts_with("scale")) return scaling;
        if (status.change->what.starts_with("undo")) return undoing;
        const auto* stage = std::find(moments.begin(), moments.begin() + stage_count, status.change->stage);
        return static_cast<std::size_t>(stage - moments.begin());
    }
    switch (status.phase) {
        case core::Phase::starting:
            return first_generation;
        case core::Phase::serving:
            return serving;
        case core::Phase::paused:
            return paused;
        case core::Phase::stopping:
            return stopping;
        default:
            return std::nullopt;
    }
}

// During a rollout the workers of the newest generation are new. At other times all workers are old.
bool is_new(const core::Status& status, std::size_t moment, WorkerId id) {
    if (moment == rollout_checking || moment >= stage_count) return false;
    Generation newest = status.generation, own;
    for (const auto& worker : status.workers) {
        newest = std::max(newest, worker.generation);
        if (worker.id == id) own = worker.generation;
    }
    return own == newest;
}

std::size_t kind_of(const testing::FakeWorld& world, std::size_t moment) {
    const core::Event& event = world.last_event();
    if (const auto* asked = std::get_if<core::Asked>(&event)) return asked->request.what.index();
    if (std::holds_alternative<core::Elapsed>(event)) return elapsed;
    if (const auto* answer = std::get_if<core::Prepared>(&event)) return answer->fault.empty() ? prepared : veto;
    if (const auto* exited = std::get_if<core::Exited>(&event))
        return is_new(world.before(), moment, exited->worker) ? new_exit : old_exit;
    if (const auto* said = std::get_if<core::Said>(&event))
        return is_new(world.before(), moment, said->worker) ? new_message : old_message;
    return other;
}

// New workers exist in every stage of a rollout except the first. Prepared is expected only in the first stage; late
// answers may occur at any time.
bool is_expected(std::size_t moment, std::size_t event) {
    if (event == new_exit || event == new_message) return moment > rollout_checking && moment < stage_count;
    if (event == prepared || event == veto) return moment == rollout_checking;
    return true;
}

}  // namespace

void MomentCoverage::count(const testing::FakeWorld& world) {
    if (const auto moment = moment_of(world.before())) ++counts_.at(*moment).at(kind_of(world, *moment));
}

int MomentCoverage::print(std::ostream& out) const {
    out << "(moment, event):\n";
    int wrong = 0;
    for (std::size_t moment = 0; moment < moment_count; ++moment)
        for (std::size_t event = 0; event < event_count; ++event)
            if (is_expected(moment, event))
                wrong += print_line(out, std::string(moments.at(moment)) + ", " + std::string(events.at(event)),
                                    counts_.at(moment).at(event), Expected::yes);
    return wrong;
}

}  // namespace holdfast::simulator
