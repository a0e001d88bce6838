#include "tests/simulator/coverage_moments.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "tests/simulator/coverage_table.hpp"

namespace holdfast::simulator {

namespace {

// The stages of a rollout have the words of the status.
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
                                     "reload", "elapsed", "an old one ended", "a word of an old one", "a new one ended",
                                     "a word of a new one", "prepared", "veto", "another"});
static_assert(events.size() == MomentCoverage::event_count);
constexpr std::size_t request_count = 9;
enum EventKind : std::size_t {
    elapsed = request_count,
    old_ended,
    old_word,
    new_ended,
    new_word,
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

// Seen from a rollout, the newest generation is the new one; elsewhere all are old ones.
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
        return is_new(world.before(), moment, exited->worker) ? new_ended : old_ended;
    if (const auto* said = std::get_if<core::Said>(&event))
        return is_new(world.before(), moment, said->worker) ? new_word : old_word;
    return other;
}

// Whoever is new exists in every stage of a rollout but the first. An answer to a preparation is met in the first
// alone, late ones aside, which may come at any time.
bool is_expected(std::size_t moment, std::size_t event) {
    if (event == new_ended || event == new_word) return moment > rollout_checking && moment < stage_count;
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
